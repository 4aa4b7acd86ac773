"""Allocations: the share of traffic each variant should get on a date, and the recorded revisions."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from groundhog_client._protocol.decoding import LOCAL, REST
from groundhog_client._protocol.encoding import Day, iso_day
from groundhog_client._protocol.request import Answer, Request, get, path


@dataclass(frozen=True, slots=True)
class VariantAllocation:
    """One variant's posterior and its share, in percent of traffic."""

    variant_id: str
    impressions: float
    successes: float
    mean: float
    interval_95: tuple[float, float]
    p_best: float | None
    expected_loss: float | None
    share: float
    value_per_impression: float | None = None
    value_interval_95: tuple[float, float] | None = None
    matured: float | None = None


@dataclass(frozen=True, slots=True)
class GateHolding:
    """A gate that restricts the policy, with the numbers behind it."""

    gate: str
    numbers: Mapping[str, Any] = field(metadata=REST)


@dataclass(frozen=True, slots=True)
class StopAdvice:
    """The stop rule's advice; no experiment stops by itself."""

    stop: bool
    variant_id: str
    rule: str
    figure: float
    threshold: float
    days: int
    minimum_days: int


@dataclass(frozen=True, slots=True)
class DelayUsed:
    """The delay of conversions that impressions were counted with; ``matured`` is the fraction that has come."""

    kind: str
    curve: tuple[float, ...]
    matured: float
    own_curves: Mapping[str, tuple[float, ...]] | None = None
    unit: str = "day"


@dataclass(frozen=True, slots=True)
class AssumedZero:
    """A day that a variant has not reported, counted as 0 impressions; ``share`` in percent of its traffic."""

    variant_id: str
    date: dt.date
    share: float
    expected_impressions: float


@dataclass(frozen=True, slots=True)
class Allocation:
    """The shares of a date with their explanation; percent, summing to exactly 100."""

    experiment_id: str
    date: dt.date
    allocations: Mapping[str, float]
    revision: str
    policy: Mapping[str, Any]
    objective: str
    settings: Mapping[str, Any]
    data_through: dt.date | dt.datetime | None
    gates: tuple[GateHolding, ...]
    variants: tuple[VariantAllocation, ...]
    value_remaining: float | None
    stop_advice: StopAdvice | None
    explain: tuple[str, ...]
    recorded: bool
    currency: str | None = None
    delay: DelayUsed | None = None
    assumed_zero: tuple[AssumedZero, ...] = ()
    stale: bool = field(default=False, metadata=LOCAL)
    """Whether the service repeated its last answer because its database is unavailable."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One recorded revision of a date's allocation."""

    date: dt.date
    sequence: int
    revision: str
    inputs_digest: str
    recorded_at: dt.datetime
    allocations: Mapping[str, float]
    p_best: Mapping[str, float | None]
    expected_loss: Mapping[str, float | None]
    value_remaining: float | None
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A page of recorded revisions, the newest first."""

    experiment_id: str
    items: tuple[Revision, ...]
    next_cursor: str | None


def read_allocation(
    experiment_id: str,
    *,
    for_date: Day | None = None,
    as_of: Literal["now"] | None = None,
    revision: str | None = None,
) -> Request[Allocation]:
    """Return each variant's percent of traffic on a date, by default today in the experiment's time zone.

    Parameters
    ----------
    as_of : "now" recomputes a past date from the present data
    revision : an older revision of the date
    """
    where, about = path("allocations", experiment_id), _about(experiment_id, for_date)
    asked = get(Allocation, where, about, for_date=for_date, as_of=as_of, revision=revision)
    return replace(asked, read=partial(_allocation, asked.read), cached=True)


def read_allocation_history(
    experiment_id: str, *, cursor: str | None = None, limit: int | None = None
) -> Request[History]:
    """Return a page of the recorded revisions, the newest first."""
    where, about = path("allocations", experiment_id, "history"), _about(experiment_id, None)
    return get(History, where, about, cursor=cursor, limit=limit)


def _about(experiment_id: str, for_date: Day | None) -> dict[str, Any]:
    return {"experiment_id": experiment_id, "date": None if for_date is None else iso_day(for_date)}


def _allocation(reader: Callable[[Answer], Allocation], answer: Answer) -> Allocation:
    stale = answer.headers.get("groundhog-stale") == "true"
    return replace(reader(answer), stale=stale)
