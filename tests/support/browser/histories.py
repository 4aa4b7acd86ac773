"""Experiments with a history: simulated day by day against the service itself, up to yesterday."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings

TODAY = dt.datetime.now(dt.UTC).date()


@dataclass
class History:
    """An experiment to create, the true rates of its variants, and what happens on its days.

    Parameters
    ----------
    days, traffic : how many days, with how many impressions on a working day
    value : mean revenue of a success; None for no revenue
    ended : days since its last day
    changes : patches of the experiment by day number
    corrected : the number of a day on which the totals of the day before are corrected
    """

    experiment: dict[str, Any]
    rates: dict[str, float]
    days: int = 28
    traffic: int = 4_000
    value: float | None = None
    ended: int = 0
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    corrected: int | None = None


HOMEPAGE = History(
    {
        "experiment_id": "homepage_test",
        "name": "Homepage headline",
        "description": "Which promise makes visitors of the start page sign up?",
        "variants": [
            {"variant_id": "control", "name": "Today's headline", "is_control": True},
            {"variant_id": "bold", "name": "Bold promise"},
            {"variant_id": "question", "name": "A question"},
            {"variant_id": "numbers", "name": "With numbers"},
        ],
        "min_share": 2,
    },
    {"control": 0.118, "bold": 0.131, "question": 0.112, "numbers": 0.126},
    corrected=17,
)
CHECKOUT = History(
    {
        "experiment_id": "checkout_upsell",
        "name": "Checkout upsell",
        "description": "What to offer between basket and payment, judged by what it earns.",
        "objective": "value",
        "currency": "EUR",
        "policy": {"kind": "value_thompson"},
        "variants": [
            {"variant_id": "none", "name": "No offer", "is_control": True},
            {"variant_id": "warranty", "name": "Warranty"},
            {"variant_id": "bundle", "name": "Bundle"},
        ],
    },
    {"none": 0.020, "warranty": 0.026, "bundle": 0.022},
    days=14,
    traffic=2_500,
    value=38.0,
)
NEWSLETTER = History(
    {
        "experiment_id": "newsletter_subject",
        "name": "Newsletter subject",
        "variants": [
            {"variant_id": "plain", "name": "Plain"},
            {"variant_id": "emoji", "name": "With an emoji"},
        ],
    },
    {"plain": 0.21, "emoji": 0.213},
    days=12,
    traffic=900,
    ended=9,
)
PAUSED = History(
    {
        "experiment_id": "pricing_page",
        "name": "Pricing page layout",
        "description": "Three columns or a slider.",
        "variants": [{"variant_id": "columns"}, {"variant_id": "slider"}, {"variant_id": "table"}],
    },
    {"columns": 0.051, "slider": 0.043, "table": 0.049},
    days=15,
    traffic=1_800,
    changes={10: {"state": "paused"}},
)
NEW: dict[str, Any] = {
    "experiment_id": "push_time",
    "name": "Push notification time",
    "variants": [{"variant_id": "morning"}, {"variant_id": "noon"}, {"variant_id": "evening"}],
}
HISTORIES = [HOMEPAGE, CHECKOUT, NEWSLETTER, PAUSED]


class SimulatedClock:
    """Noon of the day that the simulation has reached."""

    def __init__(self) -> None:
        self.day = TODAY

    def __call__(self) -> dt.datetime:
        return dt.datetime.combine(self.day, dt.time(12), dt.UTC)


def simulate(database_url: str, histories: list[History], fresh: list[dict[str, Any]] = ()) -> None:  # type: ignore[assignment]
    """Simulate histories on a migrated database, then create `fresh` experiments; repeatable."""
    clock = SimulatedClock()
    app = create_app(ServiceSettings(database_url=database_url, _env_file=None), clock)  # type: ignore[call-arg]
    with TestClient(app) as client:
        for number, history in enumerate(histories):
            _simulate(client, history, clock, np.random.default_rng(number))
        clock.day = TODAY
        for experiment in fresh:
            client.post("/experiments", json=experiment).raise_for_status()


def _simulate(client: TestClient, history: History, clock: SimulatedClock, rng: np.random.Generator) -> None:
    name = history.experiment["experiment_id"]
    first = TODAY - dt.timedelta(days=history.days + history.ended)
    clock.day = first
    client.post("/experiments", json=history.experiment).raise_for_status()
    for number in range(history.days):
        clock.day = first + dt.timedelta(days=number)
        if number in history.changes:
            client.patch(f"/experiments/{name}", json=history.changes[number]).raise_for_status()
        shares = client.get(f"/allocations/{name}").raise_for_status().json()["allocations"]
        totals = [_total(history, variant, percent, clock.day, rng) for variant, percent in shares.items()]
        clock.day += dt.timedelta(days=1)
        client.post("/metrics/", json=totals).raise_for_status()
        if number == history.corrected:
            client.get(f"/allocations/{name}").raise_for_status()
            late = {**totals[-1], "successes": totals[-1]["successes"] + 7}
            client.post("/metrics/", json=late).raise_for_status()


def _total(
    history: History, variant: str, percent: float, day: dt.date, rng: np.random.Generator
) -> dict[str, Any]:
    weekday = 0.75 if day.weekday() >= 5 else 1.0
    impressions = int(rng.poisson(history.traffic * weekday * percent / 100))
    successes = int(rng.binomial(impressions, history.rates[variant]))
    total = {
        "experiment_id": history.experiment["experiment_id"],
        "variant_id": variant,
        "date": day.isoformat(),
        "impressions": impressions,
        "successes": successes,
    }
    if history.value is None:
        return total
    values = np.round(rng.gamma(4, history.value / 4, successes), 2)
    return total | {
        "revenue": round(float(values.sum()), 2),
        "revenue_sq": round(float((values**2).sum()), 4),
    }
