"""Campaigns side by side on one service: each day's split is asked for, shown, and what is known of it is sent."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpx2
import numpy as np
from fastapi.testclient import TestClient

from app.services.events import event_queries
from app.services.events.rollup import RollUp, TotalsDelta
from tests.support.clock import SettableClock
from tests.support.delay.worlds import NAMES, Campaign, Floats, World
from tests.support.fixtures.events import create

Send = Callable[[Sequence[Campaign], int], None]
"""Sends, at a day's end, what is known of the campaigns."""

Schedule = Callable[[int], Iterable[int]]
"""The cohorts whose totals are reported at a day's end."""


def play(
    client: TestClient,
    clock: SettableClock,
    world: World,
    send: Send,
    runs: int,
    prefix: str = "seed_",
    **settings: Any,
) -> list[Campaign]:
    """Play campaigns, one experiment for each seed, split by the service's answers of each day."""
    campaigns = [Campaign(world, seed, f"{prefix}{seed}", clock().date()) for seed in range(runs)]
    for campaign in campaigns:
        create(client, campaign.name, NAMES, **settings)
    for day in range(world.days):
        for campaign, answer in zip(campaigns, ask(client, campaigns), strict=True):
            campaign.show(day, answer.json()["allocations"])
        send(campaigns, day)
        clock.pass_days(1)
    return campaigns


def ask(client: TestClient, campaigns: Sequence[Campaign]) -> list[httpx2.Response]:
    """Return the service's answers for today, asked for in its own event loop: that spares a change of threads."""

    async def get() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(client.app)
        async with httpx2.AsyncClient(transport=transport, base_url=client.base_url) as asking:
            return [await asking.get(f"/allocations/{campaign.name}") for campaign in campaigns]

    return client.portal.call(get)


def lifts(campaigns: Iterable[Campaign]) -> Floats:
    """Return each campaign's lift over an even split, in percent."""
    return np.array([campaign.lift for campaign in campaigns])


def last_days(days: int) -> Schedule:
    """Report the last so many days, every day."""
    return lambda day: range(max(day - days + 1, 0), day + 1)


def weekly(days: int) -> Schedule:
    """Report a day when it is over, and the last so many days every seventh day."""
    return lambda day: last_days(days if day % 7 == 6 else 1)(day)


def report(client: TestClient, schedule: Schedule) -> Send:
    """Report totals through ``POST /metrics/``, one request a day for all campaigns."""

    def send(campaigns: Sequence[Campaign], day: int) -> None:
        rows = [
            {
                "experiment_id": campaign.name,
                "variant_id": total.variant_id,
                "date": str(campaign.date(total.cohort)),
                "as_of": str(campaign.date(day)),
                "impressions": total.impressions,
                "successes": total.successes,
            }
            for campaign in campaigns
            for cohort in schedule(day)
            for total in campaign.known(cohort, day)
        ]
        client.post("/metrics/", json=rows).raise_for_status()

    return send


def count(client: TestClient, clock: SettableClock) -> Send:
    """Store what the roll-up finds in a day's events, by its own statement: millions of events are too many."""

    def send(campaigns: Sequence[Campaign], day: int) -> None:
        with client.app.state.database.transaction() as session:
            for campaign in campaigns:
                event_queries.write(session, [(campaign.name, received(campaign, day, clock()))])

    return send


def received(campaign: Campaign, day: int, now: dt.datetime) -> RollUp:
    """Return what the roll-up finds in the events of a day."""
    found = RollUp(now=now)
    for total in campaign.received(day):
        key = total.variant_id, campaign.date(total.cohort), campaign.date(day)
        found.totals[key] = TotalsDelta(total.impressions, total.successes)
    return found
