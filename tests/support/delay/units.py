"""Units whose conversions come late, and the delay that their ages have."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from fastapi.testclient import TestClient

from tests.support.fixtures.events import event


class Converted(NamedTuple):
    """Conversions of one cohort and age; days are counted from any first one."""

    cohort: int
    age: int
    count: int


def send_all(
    client: TestClient, kind: str, unit_ids: Sequence[str], experiment_id: str = "e", **query: Any
) -> None:
    """Send an event of a kind for each unit; each must count."""
    events = [event(unit_id, kind, experiment_id=experiment_id) for unit_id in unit_ids]
    answer = client.post("/events", json=events, params=query)
    assert answer.json()["counted"] == len(unit_ids), answer.text


def chain_ladder_by_hand(converted: Iterable[Converted], today: int) -> list[float]:
    """Return F(0), F(1), ... of cohorts that are known through the day before ``today``, ratio by ratio."""
    cells = [cell for cell in converted if cell.cohort + cell.age < today]
    fractions = [1.0]
    for age in range(max(cell.age for cell in cells), 0, -1):
        known = [cell for cell in cells if today - 1 - cell.cohort >= age]
        before, by = (sum(c.count for c in known if c.age <= through) for through in (age - 1, age))
        fractions.insert(0, fractions[0] * (before + 1) / (by + 1))
    return fractions
