"""What an experiment has brought: against an even split, and against its control."""

import datetime as dt
from dataclasses import dataclass

from groundhog_client._metrics import Day
from groundhog_client._wire import Request, get, path


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with what is uncertain about it."""

    mean: float
    interval_95: tuple[float, float]


@dataclass(frozen=True, slots=True)
class VariantTraffic:
    """The impressions of a variant, and those an even split would have given it."""

    variant_id: str
    impressions: int
    even_split: float


@dataclass(frozen=True, slots=True)
class Gain:
    """What was earned beyond an even split of the same traffic."""

    experiment_id: str
    date: dt.date
    days: int
    conversions: Figure | None
    value: Figure | None
    currency: str | None
    variants: tuple[VariantTraffic, ...] = ()


@dataclass(frozen=True, slots=True)
class AgainstControl:
    """A variant beside the control; ``p_better`` is the probability that it is the better one."""

    variant_id: str
    p_better: float
    difference: float
    relative: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every other variant of a date beside the control."""

    experiment_id: str
    date: dt.date
    control: str | None
    variants: tuple[AgainstControl, ...]


def read_gain(experiment_id: str, *, for_date: Day | None = None) -> Request[Gain]:
    """Return the extra conversions, and value, earned before a date beyond an even split."""
    return get(Gain, path("experiments", experiment_id, "gain"), for_date=for_date)


def compare_with_control(experiment_id: str, *, for_date: Day | None = None) -> Request[Comparison]:
    """Return every variant of a date beside the control: the difference, and how likely it is the better one."""
    return get(Comparison, path("experiments", experiment_id, "comparison"), for_date=for_date)
