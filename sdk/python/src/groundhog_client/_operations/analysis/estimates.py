"""Estimates from the units of a tracked experiment."""

import datetime as dt
from dataclasses import dataclass

from groundhog_client._protocol.request import Request, get, path


@dataclass(frozen=True, slots=True)
class Estimated:
    """An estimate with its uncertainty; None where the data do not determine it."""

    mean: float | None
    standard_error: float | None
    interval_95: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class VariantEstimates:
    """A variant's mean outcome, estimated in three ways, and its difference from the control."""

    variant_id: str
    units: int
    successes: int
    value: float
    support: float
    note: str | None
    naive: Estimated
    stratified: Estimated
    adaptive: Estimated
    difference: Estimated | None
    matured: float = 1.0


@dataclass(frozen=True, slots=True)
class HoldoutDay:
    """The totals of the hold-out of one day of first exposure."""

    date: dt.date
    impressions: int
    successes: int
    revenue: float | None
    revenue_sq: float | None


@dataclass(frozen=True, slots=True)
class Holdout:
    """The hold-out against the drawn units; ``lift`` is the experiment's effect per unit."""

    units: int
    successes: int
    value: float
    mean: float | None
    bandit_mean: float | None
    lift: float | None
    interval_95: tuple[float, float] | None
    relative_lift: float | None
    relative_interval_95: tuple[float, float] | None
    daily: tuple[HoldoutDay, ...]


@dataclass(frozen=True, slots=True)
class Immature:
    """Units whose conversions are still coming; ``matured`` is the fraction of all conversions that has come."""

    since: dt.date
    units: int
    matured: float


@dataclass(frozen=True, slots=True)
class Estimates:
    """The variants' means in a tracked experiment, corrected for shares that changed."""

    experiment_id: str
    outcome: str
    currency: str | None
    control: str | None
    splits: int
    sample_ratio_p: float | None
    variants: tuple[VariantEstimates, ...]
    holdout: Holdout | None
    immature: Immature | None = None


def read_estimates(experiment_id: str) -> Request[Estimates]:
    """Return the variants' means by unit, their differences from the control, and the lift over the hold-out."""
    return get(Estimates, path("experiments", experiment_id, "estimates"), {"experiment_id": experiment_id})
