"""Write before_delay.json, raw answers about undelayed histories: ``python -m tests.support.golden.before_delay``.

The file was written by the last version that had no setting ``delay``. No day is reported twice with other
totals, and every conversion is received on the day of its exposure: such experiments are answered byte for byte as
before. To write it anew, run this module in a checkout of that version.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings
from app.storage import migrate
from tests.support.clock import SettableClock
from tests.support.databases import embedded_server
from tests.support.golden import allocations
from tests.support.golden.allocations import Story

FILE = Path(__file__).with_suffix(".json")
READS = [
    "/allocations/{}",
    "/allocations/{}?for_date={yesterday}",
    "/allocations/{}?as_of=now",
    "/allocations/{}/history",
    "/experiments/{}/comparison",
    "/experiments/{}/gain",
    "/experiments/{}/posterior?points=2",
]
CONVERTED = {"a": (12, 15, 9, 14), "b": (20, 16, 22, 19), "c": (11, 12, 13, 8)}
VALUE = {"objective": "value", "currency": "EUR"}

Raw = list[Any]
"""Status, ETag and body."""


def campaign(**settings: Any) -> Callable[[Story], None]:
    """Return a story of four days, each reported once, the morning after, when the day's split is recorded."""

    def happen(story: Story) -> None:
        story.create("a", "b", "c", **settings)
        for day in range(4):
            impressions = {name: 100 + 10 * day + 7 * place for place, name in enumerate("abc")}
            counts = {name: (impressions[name], CONVERTED[name][day]) for name in "abc"}
            if "currency" in settings:
                counts = {name: (n, s, 2.5 * s + day, 9.25 * s + 40) for name, (n, s) in counts.items()}
            story.record(days_later=1)
            story.report(f"03-{10 + day}", **counts)
            story.report(f"03-{10 + day}", **counts)  # sent twice, unchanged
        story.record()

    return happen


def corrected_at_once(story: Story) -> None:
    story.create("a", "b")
    story.report("03-09", a=(100, 10), b=(100, 13))
    story.record()
    story.report("03-09", a=(110, 12), b=(100, 13))


def reported_late(story: Story) -> None:
    story.create("a", "b")
    story.record(days_later=5)
    for day in ("10", "11", "12"):
        story.report(f"03-{day}", a=(100, 10), b=(100, 13))


def units_that_convert_at_once(story: Story) -> None:
    story.create("a", "b", source="tracked", policy={"kind": "uniform"})
    story.expose(units=200, converted=31)
    story.clock.pass_days(1)


CAMPAIGNS: dict[str, dict[str, Any]] = {
    "thompson": {},
    "top_two": {"policy": {"kind": "top_two_thompson"}, "min_share": 5.0},
    "epsilon_greedy": {"policy": {"kind": "epsilon_greedy", "epsilon": 0.2}},
    "ucb1": {"policy": {"kind": "ucb1"}},
    "uniform": {"policy": {"kind": "uniform"}, "traffic": "per_request"},
    "value_thompson": VALUE | {"policy": {"kind": "value_thompson"}},
    "value_epsilon_greedy": VALUE | {"policy": {"kind": "value_epsilon_greedy"}},
    "two_days": {"window_days": 2},
    "three_days": {"window_days": 3, "maturity_days": 1},
    "fading": {"half_life_days": 1.5, "burn_in": {"days": 2}},
    "good_and_bad_days": {"adjust": "day"},
    "late_conversions_accepted": {"late_conversions": True},
}
STORIES: dict[str, Callable[[Story], None]] = {
    **{name: campaign(**settings) for name, settings in CAMPAIGNS.items()},
    **{story.__name__: story for story in (corrected_at_once, reported_late, units_that_convert_at_once)},
    **{
        f"gate_{name}": allocations.STORIES[name]
        for name in (
            "burn_in",
            "paused",
            "archived_after_a_pause",
            "rollout",
            "invalid_totals",
            "incomplete_and_stale",
        )
    },
}


def read(client: TestClient, clock: Any, database_url: str, name: str) -> dict[str, Raw]:
    """Let a story happen and return the raw answers about its experiment by path."""
    STORIES[name](Story(client, clock, database_url, name))
    yesterday = clock().date() - dt.timedelta(days=1)
    answers = {path: client.get(path.format(name, yesterday=yesterday)) for path in READS}
    return {
        path: [got.status_code, got.headers.get("ETag"), got.content.decode()]
        for path, got in answers.items()
    }


def _answers() -> Iterator[tuple[str, dict[str, Raw]]]:
    with embedded_server() as server:
        url = server.url_for("postgres")
        migrate.upgrade(url)
        for name in STORIES:
            clock = SettableClock()
            with TestClient(create_app(ServiceSettings(database_url=url), clock)) as client:
                yield name, read(client, clock, url, name)


if __name__ == "__main__":
    FILE.write_text(json.dumps(dict(_answers()), indent=1) + "\n", encoding="ascii")
