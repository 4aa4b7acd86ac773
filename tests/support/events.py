"""Experiments with assigned units, put there as rows, and ways to send events and read totals."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
"""Where the set clock stands at first."""

Assign = Callable[..., None]

ASSIGNED = """
    insert into assignments
        (experiment_id, unit_id, variant_id, kind, split, propensity, revision, assigned_at, merged_into)
    values (%(experiment_id)s, %(unit_id)s, %(variant_id)s, %(kind)s, %(split)s, %(propensity)s, %(revision)s,
            %(assigned_at)s, %(merged_into)s)
"""
DRAWN: dict[str, Any] = {"kind": "drawn", "split": 1, "propensity": 0.5, "revision": "r1"}
NOT_DRAWN: dict[str, Any] = {"split": None, "propensity": None, "revision": None}


@pytest.fixture
def assign(client: TestClient, database_url: str) -> Assign:
    """Return a way to put assignments there: ``assign("a", "u1", "u2", ...)``, drawn a day ago."""

    def put(variant_id: str, *unit_ids: str, experiment_id: str = "e", **fields: Any) -> None:
        row = {"experiment_id": experiment_id, "variant_id": variant_id, "merged_into": None, **DRAWN}
        row |= {"assigned_at": NOW - dt.timedelta(days=1), **fields}
        if row["kind"] != "drawn":
            row |= NOT_DRAWN
        with psycopg.connect(database_url) as connection:
            connection.cursor().executemany(ASSIGNED, [row | {"unit_id": unit_id} for unit_id in unit_ids])

    create(client)
    return put


def create(client: TestClient, experiment_id: str = "e", variants: str = "ab", **settings: Any) -> None:
    body = {"experiment_id": experiment_id, "variants": [{"variant_id": v} for v in variants], **settings}
    answer = client.post("/experiments", json=body)
    assert answer.status_code == 201, answer.text


def event(unit_id: str, kind: str, event_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """An event; by default each unit's first of its kind."""
    named = {"experiment_id": "e", "unit_id": unit_id, "event_id": event_id or f"{unit_id}-{kind}"}
    return named | {"type": kind, **({"value": 10} if kind == "value" else {}), **fields}


def send(client: TestClient, *events: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Send events and return what became of each: its status and the reason."""
    answer = client.post("/events", json=list(events))
    assert answer.status_code == 200, answer.text
    return [(item["status"], item["reason"]) for item in answer.json()["items"]]


def totals(client: TestClient, experiment_id: str = "e") -> dict[tuple[str, str], tuple[float, ...]]:
    """What is stored, by variant and day: impressions, successes, revenue and revenue squared."""
    items = client.get(f"/metrics/{experiment_id}").json()["items"]
    return {
        (item["variant_id"], item["date"]): (
            item["impressions"], item["successes"], item["revenue"], item["revenue_sq"]
        )
        for item in items
    }  # fmt: skip


@pytest.fixture
def held_out(database_url: str) -> Callable[[], list[tuple[Any, ...]]]:
    """Return a reader of the hold-out's totals."""

    def read() -> list[tuple[Any, ...]]:
        with psycopg.connect(database_url) as connection:
            return connection.execute("select * from holdout_metrics order by 1, 2").fetchall()

    return read


@pytest.fixture
def change_rows(client: TestClient, database_url: str) -> Callable[[str], None]:
    """Return a way to run a statement behind the service's back, whose effect it must notice."""

    def run(statement: str) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute(statement)
            connection.execute("update experiment_versions set version = version + 1")

    return run
