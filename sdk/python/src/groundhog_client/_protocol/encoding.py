"""From Python values to JSON; numbers of numpy, pandas and the like are taken as what they stand for."""

import dataclasses
import datetime as dt
import json
import operator
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

Day = dt.date | str
"""A calendar day; a text is written YYYY-MM-DD, and a datetime must be midnight without a time zone."""


def encode(body: Any) -> bytes:
    """Return a value as JSON.

    Raises
    ------
    ValueError: it holds NaN, an infinity, or text that is not Unicode; the place is named
    TypeError: it holds something that JSON has no form for; the place is named
    """
    try:
        return _dumped(body)
    except (TypeError, ValueError) as error:
        place, value = next(_invalid(body, "body"), ("body", body))
        if isinstance(error, TypeError):
            raise TypeError(f"{place}: {error}") from error
        raise ValueError(
            f"{place} is {value!r:.60}, which JSON cannot hold; leave out what is missing, or give None"
        ) from error


def iso_day(day: Day) -> str:
    """Return a day as YYYY-MM-DD.

    Raises
    ------
    ValueError: it is a moment and not a day, or not a time at all (NaT)
    """
    if isinstance(day, str):
        return day
    moment = _listed(day) if is_numpy_time(day) else day
    if isinstance(moment, dt.date) and not _is_missing(moment):
        written = _written(moment)
        if "T" not in written:
            return written
    raise ValueError(f"{day!r} is not a day: give its date()")


def is_numpy_time(value: Any) -> bool:
    """Return whether a value is a moment or day of numpy (datetime64)."""
    return getattr(getattr(value, "dtype", None), "kind", "") == "M"


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are given: None stands for the service's default."""
    return {name: value for name, value in values.items() if value is not None}


def _dumped(body: Any) -> bytes:
    return json.dumps(
        body, default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    ).encode()


def _plain(value: Any) -> Any:
    """Return what JSON has a form for in place of a value that it has none for."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return without_none({one.name: getattr(value, one.name) for one in dataclasses.fields(value)})
    if isinstance(value, dt.date):
        return _written(value)
    if isinstance(value, Mapping):
        return dict(value)
    if callable(getattr(value, "tolist", None)):  # an array of numpy, or one number of it
        return _listed(value)
    return _number(value)


def _is_missing(value: dt.date) -> bool:
    """Return whether a time is pandas' NaT: a datetime that is not equal to itself."""
    return bool(value != value)


def _written(value: dt.date) -> str:
    if _is_missing(value):
        raise ValueError("it is not a time")
    if isinstance(value, dt.datetime) and value.time() == dt.time.min and value.tzinfo is None:
        return value.date().isoformat()
    return value.isoformat()


def _listed(value: Any) -> Any:
    return value.astype("datetime64[us]").tolist() if is_numpy_time(value) else value.tolist()


def _number(value: Any) -> Any:
    if hasattr(value, "__index__"):
        return operator.index(value)
    if isinstance(value, Decimal | Real):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def _invalid(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield the places that cannot be sent, in the service's form (``body.3.revenue``), and what is there."""
    try:
        _dumped(value)
    except (TypeError, ValueError):
        parts = list(_parts(value))
        for name, part in parts:
            yield from _invalid(part, f"{place}.{name}")
        if not parts:
            yield place, value


def _parts(value: Any) -> Iterator[tuple[Any, Any]]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from ((one.name, getattr(value, one.name)) for one in dataclasses.fields(value))
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from enumerate(value)
