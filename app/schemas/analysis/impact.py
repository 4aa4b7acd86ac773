"""What an experiment has brought so far: against an even split, and against its control."""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.fields import Probability, Rounded

GAIN: dict[str, Any] = {
    "experiment_id": "homepage_test",
    "date": "2023-07-16",
    "days": 1,
    "conversions": {"mean": 6.0, "interval_95": [0.8, 11.2]},
    "value": None,
    "currency": None,
    "variants": [
        {"variant_id": "control", "impressions": 800, "even_split": 1000.0},
        {"variant_id": "bold", "impressions": 1200, "even_split": 1000.0},
    ],
}
COMPARISON: dict[str, Any] = {
    "experiment_id": "homepage_test",
    "date": "2023-07-16",
    "control": "control",
    "variants": [{"variant_id": "bold", "p_better": 0.975, "difference": 0.03, "relative": 0.248}],
}


class PointEstimate(BaseModel):
    """A value with what is uncertain about it."""

    mean: Rounded
    interval_95: tuple[Rounded, Rounded] = Field(description="95 % posterior interval, Normal")


class VariantTraffic(BaseModel):
    """The impressions of a variant, and those it would have had."""

    variant_id: str
    impressions: int
    even_split: Rounded = Field(
        description="Impressions, had every day's traffic been split evenly among the variants of that day,"
        " without those that never had any"
    )


class Gain(BaseModel):
    """What has been earned so far beyond an even split of the same traffic."""

    model_config = ConfigDict(json_schema_extra={"examples": [GAIN]})

    experiment_id: str
    date: dt.date = Field(description="Data strictly before it count")
    days: int = Field(description="Days that count: those that a variant has not reported are left out")
    conversions: PointEstimate | None = Field(
        default=None,
        description="Extra conversions: the sum over variants of (impressions - even_split) x rate, with the"
        " posterior of every rate as the same on all days; null without data or with impossible totals",
    )
    value: PointEstimate | None = Field(
        default=None,
        description="The same in currency units, costs subtracted (objective value); null too while a variant has"
        " no success, or successes without revenue",
    )
    currency: str | None = Field(description="Of the value")
    variants: list[VariantTraffic] = []


class AgainstControl(BaseModel):
    """A variant beside the control."""

    variant_id: str
    p_better: Probability | None = Field(
        description="Probability that its rate (objective value: what it earns) is higher than the control's; null"
        " while it or the control has no impressions"
    )
    difference: Rounded | None = Field(
        description="Its posterior mean less the control's; null with p_better"
    )
    relative: Rounded | None = Field(
        description="The difference as a fraction of the control's; null with p_better, or where that is not"
        " positive"
    )


class Comparison(BaseModel):
    """Every other variant of a date beside the control."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMPARISON]})

    experiment_id: str
    date: dt.date
    control: str | None = Field(description="Null where the control is not active on the date")
    variants: list[AgainstControl] = Field(description="Without the control, in the order of registration")
