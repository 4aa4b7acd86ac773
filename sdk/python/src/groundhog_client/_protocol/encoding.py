"""From Python values to JSON."""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Day = dt.date | str
"""A calendar day; a text is written YYYY-MM-DD."""


def encode(body: Any) -> bytes:
    """Return a value as JSON.

    Raises
    ------
    ValueError: it holds NaN or an infinity, or text that is not Unicode
    TypeError: it holds something that JSON has no form for
    """
    return json.dumps(
        body, default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    ).encode()


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are given: None stands for the service's default."""
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return without_none({one.name: getattr(value, one.name) for one in dataclasses.fields(value)})
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
