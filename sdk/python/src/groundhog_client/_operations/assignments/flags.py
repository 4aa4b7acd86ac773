"""Experiments as OpenFeature feature flags (OFREP); an evaluation assigns the unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from groundhog_client._protocol.decoding import read
from groundhog_client._protocol.encoding import encode
from groundhog_client._protocol.request import JSON, Answer, Request, path, reads


@dataclass(frozen=True, slots=True)
class EvaluatedFlag:
    """An experiment's variant for a unit; ``value`` is the variant's value, or its id where it has none."""

    key: str
    reason: str
    variant: str
    value: Any
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FlagFailure:
    """Why one flag of several was not evaluated."""

    key: str
    error_code: str
    error_details: str


def evaluate_flag(experiment_id: str, unit_id: str, /, **context: Any) -> Request[EvaluatedFlag]:
    """Return a unit's variant in one experiment as a flag; more ``context`` changes nothing."""
    where = path("ofrep", "v1", "evaluate", "flags", experiment_id)
    return Request(
        "POST",
        where,
        reads(EvaluatedFlag, key=experiment_id),
        {},
        JSON,
        _context(unit_id, context),
        repeatable=True,
    )


def evaluate_flags(unit_id: str, /, **context: Any) -> Request[tuple[EvaluatedFlag | FlagFailure, ...]]:
    """Return a unit's variants in all experiments that are not archived, as flags."""
    where = path("ofrep", "v1", "evaluate", "flags")
    return Request("POST", where, _flags, {}, JSON, _context(unit_id, context), repeatable=True)


def _context(unit_id: str, context: Mapping[str, Any]) -> bytes:
    return encode({"context": {**context, "targetingKey": unit_id}})


def _flags(answer: Answer) -> tuple[EvaluatedFlag | FlagFailure, ...]:
    return tuple(map(_flag, answer.json()["flags"]))


def _flag(item: Mapping[str, Any]) -> EvaluatedFlag | FlagFailure:
    if "errorCode" in item:
        return FlagFailure(item["key"], item["errorCode"], item.get("errorDetails", ""))
    return read(EvaluatedFlag, item)
