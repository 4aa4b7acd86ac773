"""Every operation of the API's own description, attacked with data that fit it and data that do not."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import Phase, settings
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks

from app.main import create_app
from app.settings import ServiceSettings
from tests.support.clock import SettableClock
from tests.support.databases import empty
from tests.support.openapi.checks import EVERYWHERE, MISFIRES, OPEN
from tests.support.openapi.description import DESCRIBED

GENERATION = GenerationConfig(max_examples=15, deterministic=True, database="none", no_shrink=True)
CONFIG = SchemathesisConfig(seed=1, projects=ProjectsConfig(default=ProjectConfig(generation=GENERATION)))
schema = schemathesis.openapi.from_asgi("/openapi.json", DESCRIBED, config=CONFIG).exclude(path="/plans")
"""Not ``POST /plans``, of which every example plays for seconds: test_duration_plans.py attacks it."""


@pytest.fixture(scope="module")
def session(migrated_url: str) -> Iterator[asgi.ASGIClient]:
    """A client of the real application, whose database holds one experiment."""
    empty(migrated_url)
    small = {"simulation_max_decisions": 20_000, "simulation_wait_seconds": 2}  # each example is played
    application = create_app(ServiceSettings(database_url=migrated_url, **small), SettableClock())
    with asgi.get_client(application) as client:
        total = {"experiment_id": "homepage", "date": "2026-03-01", "impressions": 100, "successes": 12}
        client.post("/metrics/", json=[total | {"variant_id": name} for name in ("control", "bold")])
        yield client


def check(case: schemathesis.Case, session: asgi.ASGIClient, *excluded: object) -> None:
    misfires = MISFIRES.get(case.operation.label, [])
    case.call_and_validate(session=session, excluded_checks=[*EVERYWHERE, *OPEN, *misfires, *excluded])


@schema.parametrize()
def test_an_operation_conforms_to_its_description(case, session):
    check(case, session)


@schema.include(path_regex="{experiment_id}").parametrize()
def test_an_operation_on_what_exists_conforms_to_its_description(case, session):
    case.path_parameters["experiment_id"] = "homepage"
    if "variant_id" in case.path_parameters:
        case.path_parameters["variant_id"] = "bold"
    check(
        case, session, checks.negative_data_rejection
    )  # what was wrong may have been the path just replaced


def test_operations_in_a_row_conform_to_their_description(session):
    class Walk(schema.as_state_machine()):
        def get_call_kwargs(self, case):
            return {"session": session}

        def validate_response(self, response, case, **kwargs):
            misfires = MISFIRES.get(case.operation.label, [])
            case.validate_response(response, excluded_checks=[*EVERYWHERE, *OPEN, *misfires])

    Walk.run(
        settings=settings(
            max_examples=10,
            stateful_step_count=6,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
        )
    )
