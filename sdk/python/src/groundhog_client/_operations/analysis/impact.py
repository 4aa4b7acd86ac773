"""What an experiment has gained: against an even split, and against its control."""

import datetime as dt
from dataclasses import dataclass

from groundhog_client._protocol.encoding import Day
from groundhog_client._protocol.request import Request, get, path


@dataclass(frozen=True, slots=True)
class IntervalEstimate:
    """An estimate with its 95 % interval."""

    mean: float
    interval_95: tuple[float, float]


@dataclass(frozen=True, slots=True)
class VariantTraffic:
    """A variant's impressions, and those that an even split would have given it."""

    variant_id: str
    impressions: int
    even_split: float


@dataclass(frozen=True, slots=True)
class Gain:
    """What was earned beyond an even split of the same traffic."""

    experiment_id: str
    date: dt.date
    days: int
    conversions: IntervalEstimate | None
    value: IntervalEstimate | None
    currency: str | None
    variants: tuple[VariantTraffic, ...] = ()


@dataclass(frozen=True, slots=True)
class AgainstControl:
    """A variant against the control; ``p_better`` is P(it is better), None without impressions."""

    variant_id: str
    p_better: float | None
    difference: float | None
    relative: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every other variant of a date against the control."""

    experiment_id: str
    date: dt.date
    control: str | None
    variants: tuple[AgainstControl, ...]


def read_gain(experiment_id: str, *, for_date: Day | None = None) -> Request[Gain]:
    """Return the extra conversions, and value, earned before a date beyond an even split."""
    return get(
        Gain, path("experiments", experiment_id, "gain"), {"experiment_id": experiment_id}, for_date=for_date
    )


def compare_with_control(experiment_id: str, *, for_date: Day | None = None) -> Request[Comparison]:
    """Return every variant of a date against the control: the difference and the probability to be better."""
    where = path("experiments", experiment_id, "comparison")
    return get(Comparison, where, {"experiment_id": experiment_id}, for_date=for_date)
