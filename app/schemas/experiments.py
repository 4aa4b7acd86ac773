"""Experiments, their settings and their variants on the wire."""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.schemas.fields import Count, Identifier, IsoDate, Percent, Positive, Text, TimeZone

VARIANT: dict[str, Any] = {
    "variant_id": "control",
    "name": "Today's headline",
    "description": None,
    "is_control": True,
    "registered_on": "2023-07-15",
    "active_from": "2023-07-15",
    "retired_on": None,
}
EXAMPLE: dict[str, Any] = {
    "experiment_id": "homepage_test",
    "name": "Homepage headline",
    "description": None,
    "state": "running",
    "state_since": "2023-07-15",
    "created_at": "2023-07-15T09:30:00Z",
    "policy": {"kind": "thompson"},
    "prior": {"a": 1.0, "b": 1.0},
    "min_share": 5.0,
    "burn_in": {"days": 1, "impressions": 0, "successes": 0, "share": None},
    "time_zone": "UTC",
    "variants": [VARIANT, VARIANT | {"variant_id": "bold", "name": "Bold headline", "is_control": False}],
}

State = Literal["running", "paused", "archived"]


class Strict(BaseModel):
    """A message whose unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ThompsonPolicy(Strict):
    """Thompson sampling: a variant's share is its probability of being the best one."""

    kind: Literal["thompson"] = "thompson"


class Prior(Strict):
    """The Beta(a, b) belief about a variant's rate before any data; (1, 1) is uniform."""

    a: Positive = Field(default=1.0, description="Pseudo-conversions")
    b: Positive = Field(default=1.0, description="Pseudo-failures")


class BurnIn(Strict):
    """How much data a variant needs before it takes part in P(best), and what it gets until then."""

    days: Annotated[int, Field(strict=True, ge=0, le=3650)] = Field(default=1, description="Days with data")
    impressions: Count = Field(default=0, description="Impressions")
    successes: Count = Field(default=0, description="Successes")
    share: Percent | None = Field(
        default=None,
        description="Percent of traffic until then; null is an equal share, which is also its cap",
    )


class Settings(Strict):
    """What decides an experiment's shares; every field has a default."""

    policy: ThompsonPolicy = Field(default=ThompsonPolicy(), description="How shares follow from the data")
    prior: Prior = Field(default=Prior(), description="Belief about every variant's rate before any data")
    min_share: Percent = Field(default=0.0, description="Percent of traffic every variant keeps (a floor)")
    burn_in: BurnIn = Field(default=BurnIn(), description="What a new variant must show first")
    time_zone: TimeZone = Field(default="UTC", description="Whose calendar days the totals are")


class VariantIn(Strict):
    """A variant to register."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"variant_id": "bold", "name": "Bold headline"}]}
    )

    variant_id: Identifier
    name: Text | None = Field(default=None, description="What people call it")
    description: Text | None = None
    is_control: bool = Field(default=False, strict=True, description="The variant others are compared with")
    active_from: IsoDate | None = Field(
        default=None,
        description="First day it may get traffic; by default the day of its registration or first data",
    )


class VariantPatch(Strict):
    """Changes of a variant (JSON merge-patch): what is not named stays, null resets."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"retired_on": "2023-08-01"}]})

    name: Text | None = None
    description: Text | None = None
    is_control: bool | None = Field(default=None, strict=True)
    retired_on: IsoDate | None = Field(
        default=None, description="First day without traffic: today or later; null takes a retirement back"
    )


class Variant(BaseModel):
    """A variant as it stands."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [VARIANT]})

    variant_id: str
    name: str | None
    description: str | None
    is_control: bool
    registered_on: dt.date
    active_from: dt.date = Field(description="First day it may get traffic")
    retired_on: dt.date | None = Field(description="First day without traffic")


class ExperimentIn(Settings):
    """An experiment to create."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "experiment_id": "homepage_test",
                    "name": "Homepage headline",
                    "variants": [{"variant_id": "control", "is_control": True}, {"variant_id": "bold"}],
                    "min_share": 5,
                }
            ]
        }
    )

    experiment_id: Identifier
    name: Text | None = None
    description: Text | None = None
    variants: Annotated[list[VariantIn], Field(max_length=1_000)] = Field(
        default_factory=list, description="In the order of registration; more can follow later"
    )

    @model_validator(mode="after")
    def _variants_are_distinct(self) -> "ExperimentIn":
        ids = [variant.variant_id for variant in self.variants]
        if len(set(ids)) < len(ids):
            raise PydanticCustomError("variants", "variants: the same variant_id stands there twice")
        if sum(variant.is_control for variant in self.variants) > 1:
            raise PydanticCustomError("variants", "variants: at most one may have is_control")
        return self


class ExperimentPatch(Strict):
    """Changes of an experiment (JSON merge-patch): what is not named stays, null resets to the default."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"min_share": 5, "state": "paused"}]})

    name: Text | None = None
    description: Text | None = None
    state: State | None = Field(default=None, description="running, paused or archived")
    policy: dict[str, Any] | None = Field(default=None, description="See GET /experiments/{id}")
    prior: dict[str, Any] | None = None
    min_share: Percent | None = None
    burn_in: dict[str, Any] | None = None
    time_zone: TimeZone | None = None


class Experiment(Settings):
    """An experiment as it stands today."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [EXAMPLE]})

    experiment_id: str
    name: str | None
    description: str | None
    state: State
    state_since: dt.date = Field(description="The day the state began")
    created_at: dt.datetime
    variants: list[Variant] = Field(description="In the order of registration")


class ExperimentsPage(BaseModel):
    """A page of experiments, by id."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [EXAMPLE], "next_cursor": "WyJob21lcGFnZV90ZXN0Il0"}]}
    )

    items: list[Experiment]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last one")
