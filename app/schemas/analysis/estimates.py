"""What the units of a tracked experiment tell of its variants, on the wire."""

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.fields import Amount, Rounded

Interval = tuple[Rounded, Rounded]

ESTIMATED: dict[str, Any] = {"mean": 0.128, "standard_error": 0.0075, "interval_95": [0.1133, 0.1427]}
DIFFERENCE = {"mean": 0.021, "standard_error": 0.0102, "interval_95": [0.001, 0.041]}
VARIANT: dict[str, Any] = {
    "variant_id": "bold",
    "units": 2010,
    "successes": 257,
    "value": 0.0,
    "support": 1.0,
    "matured": 0.93,
    "note": None,
    "naive": ESTIMATED,
    "stratified": ESTIMATED,
    "adaptive": ESTIMATED,
    "difference": DIFFERENCE,
}
HOLDOUT: dict[str, Any] = {
    "units": 300,
    "successes": 30,
    "value": 0.0,
    "mean": 0.1,
    "bandit_mean": 0.15,
    "lift": 0.05,
    "interval_95": [-0.0004, 0.098],
    "relative_lift": 0.5,
    "relative_interval_95": [-0.007, 1.266],
    "daily": [{"date": "2026-03-10", "impressions": 300, "successes": 30, "revenue": 0.0, "revenue_sq": 0.0}],
}


class Estimated(BaseModel):
    """A value with its uncertainty; null where the data say nothing."""

    mean: Rounded | None
    standard_error: Rounded | None
    interval_95: Interval | None = Field(description="mean -+ 1.959964 standard errors")


class VariantEstimates(BaseModel):
    """The mean outcome of a variant's units, estimated in three ways, and its difference from the control."""

    model_config = ConfigDict(json_schema_extra={"examples": [VARIANT]})

    variant_id: str
    units: int = Field(description="Exposed units that were drawn: none forced, merged away or held out")
    successes: int = Field(description="Those that converted")
    value: Amount = Field(description="What they were worth in all")
    support: Rounded = Field(
        description="The part of all units that came while the variant could be drawn: the numbers are of those"
    )
    matured: Rounded = Field(
        description="Fraction of its units' conversions that has come: every mean is lower by that factor, those"
        " of values alike; 1 without a delay"
    )
    note: str | None = Field(description="Says so where the variant had no support under some splits")
    naive: Estimated = Field(description="The plain mean: biased, because shares follow the data")
    stratified: Estimated = Field(
        description="Every split weighed by its units (Hajek): the same days for all"
    )
    adaptive: Estimated = Field(
        description="Augmented inverse propensities, variance-stabilised (AIPW): sharper where rates do not move"
    )
    difference: Estimated | None = Field(
        description="From the control, both with the same weight in every split (AIPW); null for the control"
    )


class HoldoutDay(BaseModel):
    """The totals of the hold-out of one day of first exposure."""

    model_config = ConfigDict(from_attributes=True)

    date: dt.date
    impressions: int
    successes: int
    revenue: Amount | None
    revenue_sq: Amount | None


class Holdout(BaseModel):
    """The units held out, which got the control, beside all that were drawn."""

    model_config = ConfigDict(json_schema_extra={"examples": [HOLDOUT]})

    units: int
    successes: int
    value: Amount
    mean: Rounded | None = Field(description="Their mean outcome")
    bandit_mean: Rounded | None = Field(description="The mean outcome of the units that were drawn")
    lift: Rounded | None = Field(description="The difference of both: what the experiment is worth per unit")
    interval_95: Interval | None = Field(description="Of the difference: Newcombe's, or Welch's of values")
    relative_lift: Rounded | None
    relative_interval_95: Interval | None
    daily: list[HoldoutDay] = Field(description="Their totals by day of first exposure; they decide nothing")


class Immature(BaseModel):
    """Units whose conversions are still coming: they count in every mean as if all theirs had come."""

    since: dt.date = Field(description="Their first day of first exposure")
    units: int = Field(description="How many they are")
    matured: Rounded = Field(
        description="Fraction of the conversions of all exposed units that had come by the end of yesterday, by"
        " the delay curve in use"
    )


class Estimates(BaseModel):
    """What the units of a tracked experiment tell of its variants."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "experiment_id": "homepage_test",
                    "outcome": "conversion",
                    "currency": None,
                    "control": "control",
                    "splits": 5,
                    "sample_ratio_p": 1.0,
                    "variants": [VARIANT | {"variant_id": "control", "difference": None}, VARIANT],
                    "immature": {"since": "2026-03-07", "units": 1180, "matured": 0.93},
                    "holdout": HOLDOUT,
                }
            ]
        }
    )

    experiment_id: str
    outcome: Literal["conversion", "value"] = Field(
        description="What is averaged, by the objective: 1 or 0 per unit, or its total value"
    )
    currency: str | None
    control: str | None
    splits: int = Field(description="Batches of units that were drawn with the same propensities")
    sample_ratio_p: float | None = Field(
        description="Of the hypothesis that units were drawn with their propensities, valid whenever looked at;"
        " below 0.001 something loses or moves traffic; null before the first unit"
    )
    variants: list[VariantEstimates] = Field(description="In the order of registration")
    immature: Immature | None = Field(
        description="The units whose conversions are still coming; null without a delay. Means are too low by what"
        " is to come. Differences and lifts compare units of the same days: fair in sign and in relation"
    )
    holdout: Holdout | None = Field(description="null without exposed units in the hold-out")
