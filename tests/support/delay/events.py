"""The events of a campaign, unit by unit, as ``POST /events`` takes them."""

from collections.abc import Sequence
from itertools import chain

import psycopg
from fastapi.testclient import TestClient

from tests.support.clock import SettableClock
from tests.support.delay.campaigns import Send
from tests.support.delay.worlds import NAMES, Campaign, Total
from tests.support.fixtures.events import event

BATCH = 5_000
ASSIGNED = """
    copy assignments (experiment_id, unit_id, variant_id, kind, split, propensity, revision, assigned_at)
    from stdin
"""


def send_events(client: TestClient, clock: SettableClock, database_url: str) -> Send:
    """Assign the units of a day by rows, and send their exposures and every conversion that came on it."""

    def send(campaigns: Sequence[Campaign], day: int) -> None:
        for campaign in campaigns:
            totals = list(campaign.received(day))
            shown = [units(total, 0, total.impressions) for total in totals if total.cohort == day]
            assign(campaign, shown, database_url, clock)
            converted = [converting(campaign, total, day) for total in totals]
            post(client, campaign, "exposure", list(chain.from_iterable(shown)))
            post(client, campaign, "conversion", list(chain.from_iterable(converted)))

    return send


def units(total: Total, first: int, number: int) -> list[str]:
    """Return the names of a cohort's units, from a first one on."""
    return [f"{total.variant_id}_{total.cohort}_{at}" for at in range(first, first + number)]


def converting(campaign: Campaign, total: Total, day: int) -> list[str]:
    """Return the units of a cohort that convert on a day: the next ones that did not yet."""
    arm, age = NAMES.index(total.variant_id), day - total.cohort
    before = int(campaign.came[total.cohort, :age, arm].sum())
    return units(total, before, total.successes)


def assign(
    campaign: Campaign, shown: Sequence[Sequence[str]], database_url: str, clock: SettableClock
) -> None:
    """Store the assignments of a day's units; they belong to no split that a sample-ratio test could look at."""
    with (
        psycopg.connect(database_url) as connection,
        connection.cursor().copy(ASSIGNED) as copy,
    ):
        for unit_id in chain.from_iterable(shown):
            variant_id = unit_id[0]
            copy.write_row((campaign.name, unit_id, variant_id, "drawn", 1, 0.5, "r1", clock()))


def post(client: TestClient, campaign: Campaign, kind: str, unit_ids: Sequence[str]) -> None:
    """Send an event of a kind for each unit; each must count."""
    for first in range(0, len(unit_ids), BATCH):
        batch = unit_ids[first : first + BATCH]
        body = [event(unit_id, kind, experiment_id=campaign.name) for unit_id in batch]
        answer = client.post("/events", json=body)
        assert answer.json()["counted"] == len(batch), answer.text
