"""What is known of an experiment on a date: totals as used, and densities for drawing."""

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.bandits.allocation.rounding import significant
from app.schemas.fields import DayOrTime, Rounded

Drawn = Annotated[float, AfterValidator(lambda height: significant(height, 6))]
"""A density: of many trials its exponent is large, and so is what two processors make of it."""


class Curve(BaseModel):
    """The posterior density of one variant's rate."""

    variant_id: str
    rate: list[Rounded] = Field(description="Ascending, over the variant's 99.98 % interval")
    density: list[Drawn] = Field(description="Per unit of rate: the area below the curve is 1")


class Posterior(BaseModel):
    """The posterior of every active variant's rate on a date."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "experiment_id": "homepage_test",
                    "date": "2023-07-16",
                    "curves": [
                        {"variant_id": "control", "rate": [0.1, 0.12, 0.14], "density": [4.2, 38.4, 5.9]}
                    ],
                }
            ]
        }
    )

    experiment_id: str
    date: dt.date
    curves: list[Curve]


class VariantTotals(BaseModel):
    """Sums over days of one variant."""

    days: int = Field(description="Days with impressions")
    impressions: Rounded
    successes: Rounded
    revenue: float | None = None
    revenue_sq: float | None = None


class VariantEvidence(BaseModel):
    """What a variant's totals are before and after the settings have weighed its days."""

    variant_id: str
    raw: VariantTotals = Field(
        description="Plain sums of the stored days up to the last day that may be used"
    )
    effective: VariantTotals = Field(
        description="As used: after window, half-life, day effects, days left out"
    )


class TotalsUsed(BaseModel):
    """The totals an allocation is decided from, so that a person can check the sum."""

    date: dt.date = Field(description="The allocation's date")
    last_day: dt.date = Field(description="The last day that may be used: date - 1 - maturity_days")
    data_through: DayOrTime | None = Field(
        description="The last day whose data are used, with cadence hour the end of the last hour"
    )
    left_out: list[dt.date] = Field(description="Days left out because a variant had not reported")
    variants: list[VariantEvidence]
