"""An experiment to assign units in, and the rows that come of it."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.databases import Connection
from tests.support.fixtures.stoppable_server import server, url  # noqa: F401 - fixtures

FIVE = [{"variant_id": name} for name in ("control", "a", "b", "c", "d")]


@pytest.fixture
def create(client: TestClient) -> Callable[..., None]:
    """Return a maker of tracked experiments; by default of five variants."""

    def create(experiment_id: str = "e", **settings: Any) -> None:
        body = {"experiment_id": experiment_id, "source": "tracked", "variants": FIVE} | settings
        answer = client.post("/experiments", json=body)
        assert answer.status_code == 201, answer.text

    return create


@pytest.fixture
def assign(client: TestClient) -> Callable[..., dict[str, Any]]:
    """Return what POST /assignments says of a unit."""

    def assign(unit_id: str = "u", experiment_id: str = "e") -> dict[str, Any]:
        answer = client.post("/assignments", json={"experiment_id": experiment_id, "unit_id": unit_id})
        assert answer.status_code in {200, 201}, answer.text
        assert (answer.status_code == 201) == answer.json()["new"]
        return answer.json()

    return assign


@pytest.fixture
def assign_many(client: TestClient) -> Callable[..., list[dict[str, Any]]]:
    """Return what POST /assignments says of many units."""

    def assign_many(unit_ids: list[str], experiment_id: str = "e") -> list[dict[str, Any]]:
        units = [{"experiment_id": experiment_id, "unit_id": unit_id} for unit_id in unit_ids]
        found: list[dict[str, Any]] = []
        for start in range(0, len(units), 1_000):
            answer = client.post("/assignments", json=units[start : start + 1_000])
            assert answer.status_code == 200, answer.text
            found += answer.json()
        return found

    return assign_many


@pytest.fixture
def rows(administrator: Connection) -> Callable[..., list[tuple[Any, ...]]]:
    """Return the answer of a query."""

    def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return administrator.execute(query, parameters).fetchall()

    return rows
