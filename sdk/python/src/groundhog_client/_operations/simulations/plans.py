"""Duration plans: how long an experiment will take under assumed rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from groundhog_client._operations.simulations.settings import PlanSettings
from groundhog_client._protocol.encoding import encode
from groundhog_client._protocol.request import JSON, Request, reads


@dataclass(frozen=True, slots=True)
class Spread:
    """A statistic over many replications."""

    mean: float
    sd: float | None
    interval_95: tuple[float, float] | None
    range_95: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """When an experiment would know its best variant."""

    p_best: float
    replications: int
    decided: float
    days: Spread | None
    median_day: float | None
    right: float | None
    decided_by_day: tuple[float, ...]
    classical_days: float | None


def plan_experiment(rates: Sequence[float], traffic: int, **settings: Unpack[PlanSettings]) -> Request[Plan]:
    """Return how many days an experiment would take, by simulating it; nothing is stored.

    Parameters
    ----------
    rates : the assumed conversion rates of the variants
    traffic : impressions a day, over all variants
    """
    body: Mapping[str, Any] = {"rates": list(rates), "traffic": traffic, **settings}
    return Request("POST", "/plans", reads(Plan), {}, JSON, encode(body), repeatable=True, unhurried=True)
