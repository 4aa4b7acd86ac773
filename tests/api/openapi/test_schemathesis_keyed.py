"""Every operation once more, on a service with keys: refused without one, and as described with one."""

from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.python import asgi

from app.api.authorization import PUBLIC_OPERATIONS
from app.main import create_app
from app.schemas.api_keys import ApiKeyIn
from app.services.access import api_keys
from app.settings import ServiceSettings
from tests.support.clock import SettableClock
from tests.support.databases import empty
from tests.support.openapi.checks import EVERYWHERE, MISFIRES, OPEN
from tests.support.openapi.description import DESCRIBED

PROJECT = ProjectConfig(
    generation=GenerationConfig(max_examples=3, deterministic=True, database="none", no_shrink=True),
    phases=PhasesConfig(coverage=CoveragePhaseConfig(enabled=False)),
    request_timeout=300,  # seconds: some play simulations
)
CONFIG = SchemathesisConfig(seed=2, projects=ProjectsConfig(default=PROJECT))
everything = schemathesis.openapi.from_asgi("/openapi.json", DESCRIBED, config=CONFIG)
schema = everything.exclude(
    path="/plans"
)  # as there; that it asks for a key is seen in test_authorization.py


@pytest.fixture(scope="module")
def keyed(migrated_url: str) -> Iterator[asgi.ASGIClient]:
    """A client of a service whose only key stands in ``keyed.key``."""
    empty(migrated_url)
    clock = SettableClock()
    small = {"simulation_max_decisions": 20_000, "simulation_wait_seconds": 2}
    application = create_app(ServiceSettings(database_url=migrated_url, **small), clock)
    with application.state.database.transaction() as session:
        _, key = api_keys.create(session, ApiKeyIn(name="all", scopes=["admin"]), clock.now)
    with asgi.get_client(application) as client:
        client.key = key
        yield client


@schema.parametrize()
def test_an_operation_asks_for_a_key_and_conforms_to_its_description_with_one(case, keyed):
    refused = case.call(session=keyed)  # what was generated in a key's place stays: it is none
    assert (refused.status_code == 401) == (
        case.operation.definition.raw["operationId"] not in PUBLIC_OPERATIONS
    )
    case.headers.pop("Authorization", None)
    misfires = MISFIRES.get(case.operation.label, [])
    case.call_and_validate(
        session=keyed,
        headers={"X-API-Key": keyed.key},
        excluded_checks=[*EVERYWHERE, *OPEN, *misfires],
    )
