"""Requested policies: their parameters validated, with defaults."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.bandits.policies.registry import policy_parameters
from app.errors import invalid_field
from app.schemas.simulations.simulations import PolicyChoice

MAX_VALUE, MAX_NUMBERS, MAX_KIND_LENGTH = 1e300, 1_000, 100


def from_text(text: str, field: str = "policies") -> dict[str, Any]:
    """Return a policy written on one line: a kind, kind:name=value,name=value, or an object in JSON.

    Parameters
    ----------
    field : of the request, to name where the text has another format; a delay is written the same way

    Raises
    ------
    Invalid: it has another format
    """
    if text.startswith("{"):
        try:
            policy = json.loads(text)
            return PolicyChoice(**policy).model_dump()
        except (ValueError, TypeError, RecursionError) as error:
            raise invalid_field(field, "is no object in JSON with a kind") from error
    kind, _, rest = text.partition(":")
    named = [part.partition("=") for part in rest.split(",")] if rest else []
    if not kind or len(kind) > MAX_KIND_LENGTH or not all(name and equals for name, equals, _ in named):
        raise invalid_field(field, f"{text[:100]!r}: write kind, or kind:name=value,name=value")
    return {"kind": kind, **{name: value_of(value) for name, _, value in named}}


def value_of(text: str) -> Any:
    """Return the value of a text in JSON; of another text the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def with_defaults(choices: Iterable[PolicyChoice], own: Mapping[str, type[Any]]) -> list[PolicyChoice]:
    """Return the choices with every parameter that has a default, numbers as floats.

    Parameters
    ----------
    own : the scenario's own policies by kind, in addition to those of the service

    Raises
    ------
    Invalid: there is no such policy, or a parameter has another type
    """
    return [_with_defaults(i, choice, _defaults(i, choice.kind, own)) for i, choice in enumerate(choices)]


def _with_defaults(place: int, choice: PolicyChoice, defaults: Mapping[str, Any]) -> PolicyChoice:
    given = {
        name: _validated(f"policies.{place}.{name[:100]}", value, defaults.get(name, 0.0))
        for name, value in choice.parameters.items()
    }
    known = {name: _plain(default) for name, default in defaults.items() if default != ()}
    return PolicyChoice(kind=choice.kind, **{**known, **given})


def build(place: int, build: Callable[..., Any], choice: PolicyChoice) -> Any:
    """Return the policy of a choice.

    Raises
    ------
    Invalid: an unknown parameter, or a number out of bounds
    """
    try:
        return build(choice.kind, choice.parameters)
    except (ValueError, TypeError) as error:
        raise invalid_field(f"policies.{place}", str(error)) from error


def _defaults(place: int, kind: str, own: Mapping[str, type[Any]]) -> dict[str, Any]:
    """Return the parameters of a scenario's own policy, or of one of the service, with their defaults."""
    if kind in own:
        return {one.name: one.default for one in dataclasses.fields(own[kind]) if one.repr}
    try:
        return {one.name: () if one.is_row else one.default for one in policy_parameters(kind)}
    except ValueError as error:
        raise invalid_field(f"policies.{place}.kind", f"{error}, {', '.join(own)}") from error


def _validated(where: str, value: Any, default: Any) -> Any:
    """Return a parameter of the type of its default: a boolean, a list of numbers, or a number."""
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise invalid_field(where, "should be true or false")
    if isinstance(default, tuple):
        count = len(default) or MAX_NUMBERS
        if isinstance(value, list) and 0 < len(value) <= count and all(map(_is_number, value)):
            return [float(one) for one in value]
        raise invalid_field(where, f"should be a list of {len(default) or 'some'} numbers")
    if _is_number(value):
        return float(value)
    raise invalid_field(where, "should be a number")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_VALUE


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default
