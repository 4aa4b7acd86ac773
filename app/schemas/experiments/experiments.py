"""Experiments, their settings and their variants on the wire."""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemas.experiments.currencies import Currency
from app.schemas.experiments.settings import (
    NOT_BY_HOUR,
    Days,
    ExperimentSettings,
    PercentForAllOrSome,
    PositiveDays,
    Strict,
    asked_in_days,
)
from app.schemas.fields import Identifier, IsoDate, Percent, Text, TimeZone, VariantValue
from app.schemas.validation import combination_error

VARIANT: dict[str, Any] = {
    "variant_id": "control",
    "name": "Today's headline",
    "description": None,
    "is_control": True,
    "value": None,
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
    "source": "reported",
    "flag": None,
    "is_flag": False,
    "policy": {"kind": "thompson"},
    "prior": {"a": 1.0, "b": 1.0},
    "min_share": 5.0,
    "burn_in": {"days": 1, "impressions": 0, "successes": 0, "share": None},
    "time_zone": "UTC",
    "rollout": None,
    "control": "control",
    "variants": [VARIANT, VARIANT | {"variant_id": "bold", "name": "Bold headline", "is_control": False}],
}

HOURS_ARE_TRACKED = "hour needs source tracked: reported totals are those of whole days"

MAX_VARIANTS = 1_000
"""Of one experiment."""

State = Literal["running", "paused", "archived"]
Source = Literal["reported", "tracked"]

Cost = Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]


class VariantIn(Strict):
    """A variant to register."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"variant_id": "bold", "name": "Bold headline"}]}
    )

    variant_id: Identifier
    name: Text | None = Field(default=None, description="What people call it")
    description: Text | None = None
    is_control: bool = Field(default=False, strict=True, description="The variant others are compared with")
    value: VariantValue | None = Field(
        default=None, description="What feature-flag clients are given for it; by default its id"
    )
    active_from: IsoDate | None = Field(
        default=None,
        description="First day it may get traffic; by default the day of its registration or first data",
    )
    cost_per_impression: Cost | None = Field(
        default=None, description="What showing it costs, in the experiment's currency (objective value)"
    )


class VariantPatch(Strict):
    """Changes of a variant (JSON merge-patch): what is not named stays, null resets."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"retired_on": "2023-08-01"}]})

    name: Text | None = None
    description: Text | None = None
    is_control: bool | None = Field(default=None, strict=True)
    value: VariantValue | None = Field(default=None, description="What feature-flag clients are given for it")
    retired_on: IsoDate | None = Field(
        default=None, description="First day without traffic: today or later; null takes a retirement back"
    )
    cost_per_impression: Cost | None = Field(default=None, description="Applies from today on")


class Variant(BaseModel):
    """A variant as it is today."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [VARIANT]})

    variant_id: str
    name: str | None
    description: str | None
    is_control: bool = Field(
        description="Whether it is the control in force: the chosen one, else 'control', else the first registered"
    )
    value: VariantValue | None = Field(default=None, description="What feature-flag clients are given for it")
    registered_on: dt.date
    active_from: dt.date = Field(description="First day it may get traffic")
    retired_on: dt.date | None = Field(description="First day without traffic")
    cost_per_impression: float | None = None

    def active_on(self, date: dt.date) -> bool:
        """Return whether the variant may get traffic on a date."""
        return self.active_from <= date and (self.retired_on is None or date < self.retired_on)


class ExperimentIn(ExperimentSettings):
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
    source: Source | None = Field(
        default=None,
        description="Where totals come from: reported (POST /metrics) or tracked (POST /events); "
        "by default the first of them decides. It cannot change",
    )
    flag: bool | None = Field(
        default=None,
        strict=True,
        description="Whether OpenFeature clients are offered the experiment; null: if its source is tracked",
    )
    variants: Annotated[list[VariantIn], Field(max_length=MAX_VARIANTS)] = Field(
        default_factory=list, description="In the order of registration; more can follow later"
    )

    @model_validator(mode="after")
    def _held_out_units_are_tracked(self) -> "ExperimentIn":
        if self.source == "reported" and self.holdout_percent > 0:
            message = (
                "a hold-out needs source tracked: only then are the totals of its units counted separately"
            )
            raise combination_error("holdout_percent", message)
        return self

    @model_validator(mode="after")
    def _hours_are_tracked(self) -> "ExperimentIn":
        if self.cadence == "hour" and self.source == "reported":
            raise combination_error("cadence", HOURS_ARE_TRACKED)
        burn_in_days = "days" in self.burn_in.model_fields_set
        for field in asked_in_days(self.cadence, burn_in_days, "maturity_days" in self.model_fields_set):
            raise combination_error(field, NOT_BY_HOUR[field])
        return self

    @model_validator(mode="after")
    def _variants_are_distinct(self) -> "ExperimentIn":
        ids = [variant.variant_id for variant in self.variants]
        if len(set(ids)) < len(ids):
            raise combination_error("variants", "the same variant_id stands there twice")
        if sum(variant.is_control for variant in self.variants) > 1:
            raise combination_error("variants", "at most one variant may have is_control")
        return self


class ExperimentPatch(Strict):
    """Changes of an experiment (JSON merge-patch): what is not named stays, null resets to the default."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"min_share": 5, "state": "paused"}]})

    name: Text | None = None
    description: Text | None = None
    state: State | None = Field(default=None, description="running, paused or archived")
    flag: bool | None = Field(
        default=None, strict=True, description="Whether OpenFeature clients are offered the experiment"
    )
    policy: dict[str, Any] | None = Field(default=None, description="Another kind starts from its defaults")
    objective: Literal["conversion", "value"] | None = None
    currency: Currency | None = None
    cadence: Literal["day", "hour"] | None = Field(
        default=None, description="hour before the first data only, day at any time"
    )
    prior: dict[str, Any] | None = None
    window_days: PositiveDays | None = None
    half_life_days: float | None = Field(default=None, strict=True)
    adjust: Literal["none", "day"] | None = None
    min_share: PercentForAllOrSome | None = None
    fixed_share: dict[Identifier, Annotated[float | None, Field(strict=True)]] | None = None
    burn_in: dict[str, Any] | None = None
    maturity_days: Days | None = None
    delay: Literal["auto", "none"] | dict[str, Any] | None = Field(
        default=None, description="Another kind starts from its defaults"
    )
    late_conversions: bool | None = Field(default=None, strict=True)
    stale_after_days: Days | None = None
    traffic: Literal["sticky", "per_request"] | None = None
    time_zone: TimeZone | None = None
    stop: dict[str, Any] | None = None
    assignment_mode: Literal["sticky", "rendezvous"] | None = None
    holdout_percent: Percent | None = None
    refresh_minutes: int | None = Field(default=None, strict=True)
    reward_window_days: PositiveDays | None = None


class RolloutIn(Strict):
    """The variant to give everything."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"variant_id": "bold"}]})

    variant_id: Identifier


class Experiment(ExperimentSettings):
    """An experiment as it is today."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [EXAMPLE]})

    experiment_id: str
    name: str | None
    description: str | None
    state: State
    state_since: dt.date = Field(description="The day the state began")
    created_at: dt.datetime
    source: Source | None = Field(description="Where its totals come from; null until the first of them came")
    flag: bool | None = Field(description="As set; null follows the source")
    is_flag: bool = Field(description="Whether OpenFeature clients are offered it: `flag`, else tracked")
    rollout: str | None = Field(description="The variant that gets everything since a rollout")
    control: str | None = Field(
        description="The variant others are compared with: the one with is_control, else 'control', else the first"
    )
    variants: list[Variant] = Field(description="In the order of registration")


class ExperimentsPage(BaseModel):
    """A page of experiments, by id."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [EXAMPLE], "next_cursor": "WyJob21lcGFnZV90ZXN0Il0"}]}
    )

    items: list[Experiment]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last one")
