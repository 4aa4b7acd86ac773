"""Plans on the wire: how long an experiment is supposed to take."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.experiments.settings import BurnIn, Policy, PositiveDays, Prior, Strict
from app.schemas.fields import Rounded
from app.schemas.simulations.delay import DELAY_CORRECTION, DelayCorrection, WorldDelay
from app.schemas.simulations.simulations import Rate, Seed

EXAMPLE: dict[str, Any] = {
    "p_best": 0.95,
    "replications": 200,
    "decided": 1.0,
    "days": {"mean": 18.2, "sd": 6.1, "interval_95": [17.4, 19.1], "range_95": [14.0, 34.0]},
    "median_day": 16.0,
    "right": 0.985,
    "decided_by_day": [0.0, 0.0, 0.35],
    "classical_days": 31.0,
}


MINIMUM_DAYS, REPLICATIONS = 14, 200
"""Defaults, unless other fields that were sent allow only fewer."""
MAX_DECISIONS = 200_000
"""Variants x days x replications: about ten seconds of one processor."""


def _decisions_per_replication(sent: dict[str, Any]) -> int:
    variants, days = len(sent.get("rates", ())), int(sent.get("days", 1))
    return max(1, variants * days)


class PlanRequest(Strict):
    """An experiment that has not begun, with the rates its variants are supposed to have."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rates": [0.10, 0.12], "traffic": 1000, "days": 60}]}
    )

    rates: Annotated[list[Rate], Field(min_length=2, max_length=20)] = Field(
        description="Supposed rates of the variants"
    )
    traffic: Annotated[int, Field(strict=True, ge=1, le=100_000_000)] = Field(
        description="Impressions a day, over all variants"
    )
    policy: Policy = Field(default=Policy(), description="How shares follow from the data")
    days: Annotated[int, Field(strict=True, ge=1, le=1_000)] = Field(
        default=90, description="The longest that is played"
    )
    minimum_days: PositiveDays = Field(
        default_factory=lambda sent: min(MINIMUM_DAYS, sent.get("days", MINIMUM_DAYS)),
        description="No decision before so many days of the experiment, counted as stop advice counts them; by"
        " default at most `days`",
        json_schema_extra={"default": MINIMUM_DAYS},
    )
    min_share: Annotated[float, Field(strict=True, ge=0, le=50, allow_inf_nan=False)] = Field(
        default=0.0, description="Floor of every variant, percent"
    )
    prior: Prior = Field(default=Prior(), description="Belief about every rate before any data")
    burn_in: BurnIn = Field(default=BurnIn(), description="What a variant must show first")
    delay: WorldDelay = Field(
        default=0, description="Days until a conversion comes: a number, exactly, or a distribution"
    )
    delay_correction: DelayCorrection = Field(default="auto", description=DELAY_CORRECTION)
    replications: Annotated[int, Field(strict=True, ge=1, le=2_000)] = Field(
        default_factory=lambda sent: min(REPLICATIONS, MAX_DECISIONS // _decisions_per_replication(sent)),
        description="How often the experiment is played; by default as often as its variants and days permit",
        json_schema_extra={"default": REPLICATIONS},
    )
    seed: Seed = Field(default=1, description="Of everything random")


class Spread(BaseModel):
    """A value of the replications that decided."""

    mean: Rounded
    sd: Rounded | None
    interval_95: tuple[Rounded, Rounded] | None = Field(description="Of the mean; null for one replication")
    range_95: tuple[Rounded, Rounded] = Field(
        description="The 2.5 % and 97.5 % quantiles of single replications"
    )


class Plan(BaseModel):
    """When an experiment is supposed to know its best variant."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    p_best: float = Field(description="A variant is declared the best at this probability")
    replications: int
    decided: Rounded = Field(description="Part of the replications that decided within the days played")
    days: Spread | None = Field(description="Until then, of those that decided; null where none did")
    median_day: float | None = Field(
        description="The day by which half of all replications decided; null where fewer did"
    )
    right: Rounded | None = Field(description="Part of the decisions for a variant with the highest rate")
    decided_by_day: list[Rounded] = Field(description="Part of the replications decided by day 1, 2, ...")
    classical_days: Rounded | None = Field(
        description="Days of the classical test of the two best in an even split (level 5 %, power 80 %, all pairs"
        " allowed for); null for equal rates"
    )
