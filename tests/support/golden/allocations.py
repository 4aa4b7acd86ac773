"""Write allocations.json, answers about varied experiments: ``python -m tests.support.golden.allocations``.

The file was written by the version before allocations became typed objects. Since then sentences of `explain`
were changed, numbers are rounded, and a variant without impressions has no P(best), no expected loss and no
difference from the control. It fixes which fields there are, in which order and how they are spelt. Fractions are
compared as numbers: processors differ in the last digits.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings
from app.storage import migrate
from tests.support.clock import SettableClock
from tests.support.databases import embedded_server

FILE = Path(__file__).with_suffix(".json")
TODAY = dt.date(2026, 3, 10)
READS = [
    "/allocations/{}",
    "/allocations/{}?for_date=2026-03-09",
    "/allocations/{}?as_of=now",
    "/allocations/{}/history",
    "/metrics/{}?limit=1",
    "/experiments/{}/comparison",
    "/experiments/{}/gain",
    "/experiments/{}/posterior?points=3",
]
FLOAT = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+(?:e[-+]\d+)?|e[-+]\d+)(?![\w.]\w)")
DIGEST = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{16}\b")

Body = tuple[str, list[float]]


class Story:
    """An experiment of one name, to which a scenario happens."""

    def __init__(self, client: TestClient, clock: Any, database_url: str, name: str) -> None:
        self.client, self.clock, self.url, self.name = client, clock, database_url, name

    def create(self, *variants: str | dict[str, Any], **settings: Any) -> None:
        listed = [{"variant_id": v} if isinstance(v, str) else v for v in variants]
        self._send("POST", "/experiments", {"experiment_id": self.name, "variants": listed, **settings})

    def report(self, date: str, **counts: tuple[int, ...]) -> None:
        """Report ``variant=(impressions, successes, revenue?, revenue_sq?)`` for a day of March 2026."""
        names = ("impressions", "successes", "revenue", "revenue_sq")
        rows = [
            {"experiment_id": self.name, "variant_id": variant, "date": f"2026-{date}"}
            | dict(zip(names, numbers, strict=False))
            for variant, numbers in counts.items()
        ]
        self._send("POST", "/metrics/", rows)

    def change(self, **settings: Any) -> None:
        self._send("PATCH", f"/experiments/{self.name}", settings)

    def add(self, path: str, **body: Any) -> None:
        self._send("POST", f"/experiments/{self.name}/{path}", body)

    def retire(self, variant_id: str, retired_on: str) -> None:
        self._send("PATCH", f"/experiments/{self.name}/variants/{variant_id}", {"retired_on": retired_on})

    def record(self, days_later: int = 0) -> None:
        """Record the answer of today, and let days pass."""
        self.client.get(f"/allocations/{self.name}").raise_for_status()
        self.clock.pass_days(days_later)

    def expose(self, units: int, converted: int) -> None:
        named = [{"experiment_id": self.name, "unit_id": f"u{number}"} for number in range(units)]
        self._send("POST", "/assignments", named)
        kinds = [("exposure", named), ("conversion", named[:converted])]
        events = [
            unit | {"event_id": f"{unit['unit_id']}-{kind}", "type": kind}
            for kind, some in kinds
            for unit in some
        ]
        self._send("POST", "/events", events)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url.replace("+psycopg", "", 1)) as connection:
            connection.execute(statement, [self.name])
            connection.execute("update experiment_versions set version = version + 1")

    def _send(self, method: str, path: str, body: object) -> None:
        answer = self.client.request(method, path, json=body)
        assert answer.status_code < 300, answer.text


def no_data(story: Story) -> None:
    story.create("a", "b", "c", min_share=5)


def two_variants(story: Story) -> None:
    story.report("03-08", control=(1000, 120), bold=(1000, 150))
    story.report("03-09", control=(400, 40), bold=(1600, 230))


def moved_twice(story: Story) -> None:
    story.create("a", "b", "c")
    story.report("03-08", a=(900, 80), b=(1000, 95), c=(1100, 101))
    story.record(days_later=1)
    story.report("03-09", a=(900, 80), b=(1000, 95), c=(1100, 101))
    story.report("03-10", a=(500, 50), b=(500, 20), c=(300, 30))
    story.change(policy={"kind": "epsilon_greedy", "epsilon": 0.2}, min_share={"a": 10})
    story.record()
    story.retire("b", "2026-03-11")
    story.add("variants", variant_id="d")


def floors_and_fixed_shares(story: Story) -> None:
    story.create("a", "b", "c", min_share={"a": 12.5}, fixed_share={"b": 7.25}, prior={"a": 2.0, "b": 18.0})
    story.report("03-09", a=(1000, 100), b=(1000, 120), c=(1000, 140))


def burn_in(story: Story) -> None:
    story.create("a", "b", burn_in={"days": 2, "impressions": 500, "successes": 5, "share": 10.0})
    story.report("03-07", a=(1000, 100))
    story.report("03-08", a=(1000, 100), b=(400, 44))
    story.report("03-09", a=(1000, 100))


def window(story: Story) -> None:
    story.create("a", "b", window_days=2, maturity_days=1)
    for day, successes in (("05", 10), ("06", 20), ("07", 90), ("08", 70)):
        story.report(f"03-{day}", a=(1000, 80), b=(1000, successes))


def half_life(story: Story) -> None:
    story.create("a", "b", half_life_days=3.5)
    for day, successes in (("05", 10), ("06", 20), ("07", 90), ("08", 70)):
        story.report(f"03-{day}", a=(1000, 80), b=(1000, successes))


def day_effects(story: Story) -> None:
    story.create("a", "b", adjust="day", stop={"rule": "expected_loss", "minimum_days": 2})
    for day, a, b in (("07", 150, (900, 140)), ("08", 90, (500, 50)), ("09", 170, (2000, 360))):
        story.report(f"03-{day}", a=(1000, a), b=b)


def value(story: Story) -> None:
    variants = [{"variant_id": v, "cost_per_impression": cost} for v, cost in (("a", 0.01), ("b", 0.02))]
    story.create(*variants, objective="value", currency="EUR", policy={"kind": "value_thompson"})
    story.report("03-08", a=(1000, 50, 500, 6000), b=(1000, 60, 600, 7000))
    story.report("03-09", a=(1000, 55, 520, 6200), b=(1000, 45, 480, 5900))


def value_without_squares(story: Story) -> None:
    policy = {"kind": "value_epsilon_greedy", "epsilon": 0.1}
    story.create("a", "b", "new", objective="value", currency="USD", policy=policy, stop={"minimum_days": 1})
    story.report("03-08", a=(1000, 50, 500), b=(1000, 60, 600))
    story.report("03-09", a=(1000, 55, 520), b=(1000, 45, 480))


def no_revenue(story: Story) -> None:
    story.create("a", "b", objective="value", currency="EUR", policy={"kind": "value_thompson"})
    story.report("03-08", a=(1000, 50, 500, 6000), b=(1000, 60))


def paused(story: Story) -> None:
    story.report("03-09", a=(1000, 120), b=(1000, 130))
    story.record()
    story.change(state="paused")
    story.record(days_later=1)
    story.report("03-10", a=(1000, 10), b=(1000, 300))


def archived_after_a_pause(story: Story) -> None:
    story.create("a", "b", "c")
    story.report("03-09", a=(1000, 120), b=(1000, 130), c=(1000, 125))
    story.change(state="paused")
    story.record(days_later=1)
    story.change(state="archived")
    story.record(days_later=1)
    story.retire("c", "2026-03-12")


def rollout(story: Story) -> None:
    story.report("03-09", a=(1000, 120), b=(1000, 130))
    story.record()
    story.add("rollout", variant_id="b")


def invalid_totals(story: Story) -> None:
    story.create("a", "b", late_conversions=True)
    story.report("03-07", a=(100, 10), b=(100, 30))
    story.report("03-08", a=(10, 150), b=(10, 5))


def never_possible(story: Story) -> None:
    story.create("a", "b", late_conversions=True)
    story.report("03-09", a=(0, 5), b=(10, 5))


def incomplete_and_stale(story: Story) -> None:
    story.create("a", "b", stale_after_days=3, stop={"rule": "p_best", "threshold": 0.9, "minimum_days": 1})
    story.report("03-01", a=(1000, 120), b=(1000, 190))
    story.report("03-02", a=(1000, 120))
    story.report("03-03", a=(1000, 90), b=(1000, 130))
    story.report("03-04", b=(1000, 130))


def sample_ratio_of_impressions(story: Story) -> None:
    story.create("a", "b", traffic="per_request", policy={"kind": "uniform"})
    story.record(days_later=1)
    story.report("03-10", a=(5300, 100), b=(4700, 100))


def sample_ratio_of_units(story: Story) -> None:
    story.create("a", "b", source="tracked", holdout_percent=10.0, policy={"kind": "uniform"})
    story.expose(units=60, converted=12)
    story.execute(
        "update assignment_counts set units = case variant_id when 'a' then 600 else 400 end"
        " where experiment_id = %s"
    )
    story.record(days_later=1)


def fixed_policy(story: Story) -> None:
    story.create("a", "b", policy={"kind": "fixed", "shares": {"a": 30.0, "b": 70.0}})
    story.report("03-09", a=(10, 1), b=(0, 0))


def other_policies(story: Story) -> None:
    story.create("a", "b", "c", policy={"kind": "ucb1"}, time_zone="America/Lima")
    story.report("03-08", a=(100, 12), b=(100, 13), c=(90, 9))
    story.record()
    story.change(policy={"kind": "top_two_thompson"}, time_zone="Asia/Kathmandu")


STORIES: dict[str, Callable[[Story], None]] = {
    story.__name__: story
    for story in (
        no_data,
        two_variants,
        moved_twice,
        floors_and_fixed_shares,
        burn_in,
        window,
        half_life,
        day_effects,
        value,
        value_without_squares,
        no_revenue,
        paused,
        archived_after_a_pause,
        rollout,
        invalid_totals,
        never_possible,
        incomplete_and_stale,
        sample_ratio_of_impressions,
        sample_ratio_of_units,
        fixed_policy,
        other_policies,
    )
}


def read(client: TestClient, clock: Any, database_url: str, name: str) -> dict[str, str]:
    """Let a story happen and return the bodies of its experiment by path."""
    STORIES[name](Story(client, clock, database_url, name))
    answers = {path: client.get(path.format(name)) for path in READS}
    return {path: got.text if got.is_success else got.json()["detail"] for path, got in answers.items()}


def spelling(body: str) -> Body:
    """Return a body with a sign in place of each fraction, and the fractions: these differ by processor."""
    text = DIGEST.sub("#", FLOAT.sub("#.#", body))  # a digest holds the algorithm's version
    return text, [float(number) for number in FLOAT.findall(body)]


def _answers() -> Iterator[tuple[str, dict[str, str]]]:
    with embedded_server() as server:
        url = server.url_for("postgres")
        migrate.upgrade(url)
        for name in STORIES:
            clock = SettableClock()
            with TestClient(create_app(ServiceSettings(database_url=url), clock)) as client:
                yield name, read(client, clock, url, name)


if __name__ == "__main__":
    FILE.write_text(json.dumps(dict(_answers()), indent=1) + "\n", encoding="ascii")
