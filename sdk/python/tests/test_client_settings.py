"""What can be set by name is what the service takes, no more and no less."""

import pytest

from app.main import create_app
from app.settings import ServiceSettings as ServiceSettings
from groundhog_client import (
    Changes,
    ClvSimulation,
    DailyTotal,
    EmailSimulation,
    Event,
    NewVariant,
    PlanSettings,
    Settings,
    VariantChanges,
)

SCHEMAS = create_app(ServiceSettings(database_url="postgresql://nobody@localhost/none")).openapi()[
    "components"
]["schemas"]


@pytest.mark.parametrize(
    ("named", "schema", "apart"),
    [
        (Settings, "ExperimentIn", {"experiment_id", "variants"}),
        (Changes, "ExperimentPatch", set()),
        (NewVariant, "VariantIn", set()),
        (VariantChanges, "VariantPatch", set()),
        (Event, "EventIn", set()),
        (DailyTotal, "DailyTotal", set()),
        (EmailSimulation, "EmailRequest", set()),
        (ClvSimulation, "ClvRequest", set()),
        (PlanSettings, "PlanRequest", {"rates", "traffic"}),
    ],
)
def test_the_names_are_those_of_the_service(named, schema, apart):
    assert set(named.__annotations__) | apart == SCHEMAS[schema]["properties"].keys()
