"""A service with a little in it for tests that may store nothing, and the form every refusal has."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings
from tests.conftest import TABLES, SetClock, empty

LEAKS = re.compile(
    r"select |insert into|delete from|psycopg|sqlalchemy|relation \"|traceback|nan\b|inf\b", re.IGNORECASE
)


def total(**fields: object) -> dict[str, Any]:
    """A daily total that fits, but for what is said."""
    fits = {"experiment_id": "homepage", "variant_id": "control", "date": "2026-03-02"}
    return {**fits, "impressions": 100, "successes": 12, **fields}


def problem(answer: Any, status: int) -> list[dict[str, Any]]:
    """Check that an answer is a refusal in the one form all of them have, and return its field errors."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    body = answer.json()
    assert set(body) - {"errors"} == {"type", "title", "status", "detail", "request_id"}
    assert (body["status"], body["request_id"]) == (status, answer.headers["X-Request-ID"])
    assert not LEAKS.search(answer.text), answer.text
    assert len(answer.content) < 50_000
    errors: list[dict[str, Any]] = body.get("errors", [])
    return errors


def fields(answer: Any, status: int) -> list[str]:
    """The names of the fields a refusal complains about."""
    return [error["field"] for error in problem(answer, status)]


@pytest.fixture(scope="module")
def service(migrated_url: str) -> Iterator[TestClient]:
    """A service on 10 March 2026, noon UTC, that knows some experiments."""
    empty(migrated_url)
    clock = SetClock()
    application = create_app(ServiceSettings(database_url=migrated_url, max_body_bytes=2_000_000), clock)
    with TestClient(application, raise_server_exceptions=False) as client:
        clock.pass_days(-5)
        fill(client)
        clock.pass_days(5)
        yield client


def fill(client: TestClient) -> None:
    client.post("/metrics/", json=[total(date="2026-03-01"), total(date="2026-03-01", variant_id="bold")])
    pair = [{"variant_id": "a"}, {"variant_id": "b"}]
    client.post("/experiments", json={"experiment_id": "full", "min_share": 50, "variants": pair})
    client.post("/experiments", json={"experiment_id": "retired", "variants": pair})
    client.patch("/experiments/retired/variants/b", json={"retired_on": "2026-03-05"})
    for name, zone in (("east", "Pacific/Kiritimati"), ("west", "Pacific/Pago_Pago")):
        client.post("/experiments", json={"experiment_id": name, "time_zone": zone, "variants": pair})


@pytest.fixture
def contents(migrated_url: str) -> Callable[[], list[tuple[Any, ...]]]:
    """Return a reader of every row there is."""

    def read() -> list[tuple[Any, ...]]:
        with psycopg.connect(migrated_url) as connection:
            return [row for table in TABLES for row in connection.execute(f"select t::text from {table} t")]

    return read


@pytest.fixture
def nothing_is_stored(service: TestClient, contents: Callable[[], list[tuple[Any, ...]]]) -> Iterator[None]:
    """Check at the end of a test that not one row came, went or changed."""
    before = sorted(contents())
    yield
    assert sorted(contents()) == before
