"""Assignments: the variant of a unit, which it keeps."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from groundhog_client._errors import Problem, UnreadableAnswer, problem_of
from groundhog_client._protocol.decoding import read
from groundhog_client._protocol.encoding import encode
from groundhog_client._protocol.request import JSON, Answer, Request, checked, reads

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Assignment:
    """The variant a unit is served, and why.

    ``reason`` is drawn, holdout, forced, retired, paused or archived; only a draw has a propensity and a revision.
    """

    experiment_id: str
    unit_id: str
    variant_id: str
    value: Any
    reason: str
    propensity: float | None
    revision: str | None
    assigned_at: dt.datetime | None
    new: bool


@dataclass(frozen=True, slots=True)
class Unassigned:
    """Why one unit of several has no assignment."""

    experiment_id: str
    unit_id: str
    error: Problem


Unit = tuple[str, str]
"""An experiment's id and a unit's."""


def assign(experiment_id: str, unit_id: str) -> Request[Assignment]:
    """Return the variant of a unit, assigning it now if it has none. This counts no impression."""
    unit = _unit(experiment_id, unit_id)
    return _assigning(unit, reads(Assignment, **unit))


def assign_many(units: Iterable[Unit]) -> Request[tuple[Assignment | Unassigned, ...]]:
    """Return the variants of up to 1,000 units, each given as (experiment id, unit id), in their order."""
    asked = [_unit(*unit) for unit in units]
    return _assigning(asked, partial(_items, asked))


def _unit(experiment_id: str, unit_id: str) -> dict[str, str]:
    return {"experiment_id": experiment_id, "unit_id": unit_id}


def _assigning(body: Any, reader: Callable[[Answer], T]) -> Request[T]:
    """Describe an assignment; the first one stays, so that repeating needs no Idempotency-Key."""
    return Request("POST", "/assignments", reader, {}, JSON, encode(body), repeatable=True)


def _items(asked: Sequence[Mapping[str, str]], answer: Answer) -> tuple[Assignment | Unassigned, ...]:
    found = answer.json()
    if not isinstance(found, list) or len(found) != len(asked):
        raise UnreadableAnswer(f"{len(asked)} units were asked, and the answer has another number of them")
    return tuple(_item(checked(item, unit)) for item, unit in zip(found, asked, strict=True))


def _item(item: Mapping[str, Any]) -> Assignment | Unassigned:
    return _unassigned(item) if "error" in item else read(Assignment, item)


def _unassigned(item: Mapping[str, Any]) -> Unassigned:
    error = problem_of(item["error"]["status"], {}, encode(item["error"]))
    return Unassigned(item["experiment_id"], item["unit_id"], error)
