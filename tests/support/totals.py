"""Daily totals to report, and what is stored of them."""

from functools import partial
from typing import Any

from fastapi.testclient import TestClient


def total(
    variant_id: object = "control",
    date: object = "2026-03-01",
    impressions: object = 1000,
    successes: object = 120,
    *,
    experiment_id: object = "homepage",
    **more: object,
) -> dict[str, Any]:
    """Return one variant's total of one day as it is sent; any field may be given a wrong value."""
    return {
        "experiment_id": experiment_id,
        "variant_id": variant_id,
        "date": date,
        "impressions": impressions,
        "successes": successes,
        **more,
    }


small_total = partial(total, date="2026-03-02", impressions=100, successes=12)
"""The same for tests whose numbers are small."""


def post(client: TestClient, *totals: dict[str, Any]) -> None:
    """Report totals that must be accepted."""
    answer = client.post("/metrics/", json=list(totals))
    assert answer.status_code == 200, answer.text


def stored(client: TestClient) -> list[tuple[str, str, int, int]]:
    """Return the totals of the experiment ``homepage``."""
    items = client.get("/metrics/homepage").json()["items"]
    return [(i["variant_id"], i["date"], i["impressions"], i["successes"]) for i in items]


CAME_BY = {0: 60, 1: 90, 2: 105, 3: 120}
"""Of each day's 120 conversions, how many have come by which age."""
DAYS = [f"2026-03-0{day}" for day in range(1, 10)]


def send(client: TestClient, *totals: dict[str, Any]) -> tuple[int, int, int]:
    """Report totals; return how many were inserted, updated and unchanged."""
    answer = client.post("/metrics/", json=list(totals))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["inserted"], body["updated"], body["unchanged"]


def history() -> list[dict[str, Any]]:
    """Every report of nine days up to the 9th, as it was known through each day."""
    return [
        total(date=date, successes=CAME_BY[min(9 - day, age)], as_of=f"2026-03-0{day + age}")
        for day, date in enumerate(DAYS, 1)
        for age in range(min(9 - day, 3) + 1)
    ]
