"""The request of a simulation, from a file and the options of a command."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import Invalid


def build_request(
    file: Path | None, policies: list[str] | None, sets: list[str] | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the request of a file, with the options applied.

    Raises
    ------
    Invalid: naming the file or the option that cannot be read
    """
    from app.services.simulations.policy_choices import from_text

    request: dict[str, Any] = {} if file is None else _read(file)
    request |= {name: value for name, value in options.items() if value is not None}
    if policies:
        request["policies"] = [from_text(text) for text in policies]
    for text in sets or ():
        _set(request, *_named(text, "--set"))
    return request


def _read(file: Path) -> dict[str, Any]:
    try:
        request = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from error
    if not isinstance(request, dict):
        raise Invalid(f"{file} should hold a JSON object")
    return request


def _named(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Invalid(f"{option} {text}: write name=value")
    return name, value


def _set(request: dict[str, Any], name: str, value: str) -> None:
    from app.services.simulations.policy_choices import value_of

    first, dot, rest = name.partition(".")
    if not dot:
        request[name] = value_of(value)
        return
    inner = request.setdefault(first, {})
    if not isinstance(inner, dict):
        raise Invalid(f"--set {name}: {first} holds no fields")
    _set(inner, rest, value)
