"""How long the conversions of an experiment take to arrive."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from groundhog_client._protocol.encoding import Day
from groundhog_client._protocol.request import Request, get, path


@dataclass(frozen=True, slots=True)
class DelayCurveEstimate:
    """An estimated delay curve by age in days or hours, with its 95 % interval and the counts behind it."""

    curve: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    came: tuple[float, ...]
    seen_among: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DelayReport:
    """The delay of an experiment's conversions: the curve in use, and what the data say.

    While the variants' delays differ (``differs``), each one's own curve is used.
    """

    experiment_id: str
    date: dt.date
    kind: str
    curve: tuple[float, ...]
    estimate: DelayCurveEstimate | None
    variants: Mapping[str, DelayCurveEstimate]
    e_value: float
    differs: bool = False
    unit: str = "day"


def read_delay(experiment_id: str, *, for_date: Day | None = None) -> Request[DelayReport]:
    """Return how long conversions take to arrive: the curve in use, and the estimates with their intervals."""
    where = path("experiments", experiment_id, "delay")
    return get(DelayReport, where, {"experiment_id": experiment_id}, for_date=for_date)
