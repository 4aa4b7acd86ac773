"""Nine days, each reported on every following day as it was known then."""

from typing import Any

from fastapi.testclient import TestClient

from tests.support.totals import total

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
