"""What can be set by name is what the service takes, no more and no less."""

import pytest

from client_testing.service import description
from groundhog_client import (
    Changes,
    ClvSimulation,
    DailyTotal,
    Delay,
    EmailSimulation,
    Event,
    NewVariant,
    PlanSettings,
    Settings,
    VariantChanges,
)

SCHEMAS = description()["components"]["schemas"]


@pytest.mark.parametrize(
    ("named", "schema", "apart"),
    [
        (Settings, "ExperimentIn", {"experiment_id", "variants"}),
        (Changes, "ExperimentPatch", set()),
        (NewVariant, "VariantIn", set()),
        (VariantChanges, "VariantPatch", set()),
        (Event, "EventIn", set()),
        (DailyTotal, "DailyTotal", set()),
        (Delay, "Delay", set()),
        (EmailSimulation, "EmailRequest", set()),
        (ClvSimulation, "ClvRequest", set()),
        (PlanSettings, "PlanRequest", {"rates", "traffic"}),
    ],
)
def test_the_names_are_those_of_the_service(named, schema, apart):
    assert set(named.__annotations__) | apart == SCHEMAS[schema]["properties"].keys()
