"""From JSON to frozen dataclasses; fields and enum values of a later service are accepted."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from groundhog_client._errors import UnreadableAnswer

T = TypeVar("T")
Reader = Callable[[Any], Any]

REST: Mapping[str, Any] = {"rest": True}
"""Metadata of the field that receives all JSON fields without one of their own."""
LOCAL: Mapping[str, Any] = {"local": True}
"""Metadata of a field that is not in the JSON: it comes from a header."""


def read(kind: type[T], found: Any) -> T:
    """Return a JSON value as a dataclass.

    Raises
    ------
    UnreadableAnswer: a field is missing or of another type
    """
    try:
        value: T = _reader(cast("Any", kind))(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableAnswer(f"the answer is not a {kind.__name__}: {error!r}") from error
    return value


@cache
def _reader(kind: Any) -> Reader:
    if is_dataclass(kind):
        return _reader_of_fields(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _reader_of_option(inner)
    if origin is tuple:
        return _reader_of_items(inner)
    if origin is Mapping:
        each = _reader(inner[1])
        return lambda found: {name: each(value) for name, value in found.items()}
    return SCALARS.get(kind, lambda found: found)


def _reader_of_fields(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    known = [field for field in fields(kind) if not field.metadata]
    rest = [field.name for field in fields(kind) if field.metadata == REST]
    readers = [(field, _reader(hints[field.name])) for field in known]
    names = {field.name for field in known}

    def reader(found: Any) -> Any:
        values = {field.name: _value(field, each, found) for field, each in readers}
        values |= {place: {name: found[name] for name in found if name not in names} for place in rest}
        return kind(**values)

    return reader


def _value(field: Field[Any], each: Reader, found: Any) -> Any:
    if field.name not in found and field.default is not MISSING:
        return field.default
    return each(found[field.name])


def _reader_of_option(choices: tuple[Any, ...]) -> Reader:
    """Return the reader of ``X | None``, the only union that answers have beside that of a day and a moment."""
    each = next(_reader(choice) for choice in choices if choice is not type(None))
    if dt.date in choices and dt.datetime in choices:
        each = _day_or_moment
    return lambda found: None if found is None else each(found)


def _day_or_moment(found: str) -> dt.date:
    return dt.datetime.fromisoformat(found) if "T" in found else dt.date.fromisoformat(found)


def _reader_of_items(kinds: tuple[Any, ...]) -> Reader:
    if kinds[-1] is Ellipsis:
        each = _reader(kinds[0])
        return lambda found: tuple(map(each, _list(found)))
    readers = [_reader(kind) for kind in kinds]
    return lambda found: tuple(one(item) for one, item in zip(readers, _list(found), strict=True))


def _list(found: Any) -> list[Any]:
    return _of_type(list, found)


def _of_type(kind: type[T], found: Any) -> T:
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
        raise TypeError(f"{found!r:.100} is not {kind.__name__}")
    return found


SCALARS: dict[Any, Reader] = {
    str: lambda found: _of_type(str, found),
    int: lambda found: _of_type(int, found),
    bool: lambda found: _of_type(bool, found),
    float: lambda found: float(_of_type(int | float, found)),  # type: ignore[arg-type]
    dt.date: dt.date.fromisoformat,
    dt.datetime: dt.datetime.fromisoformat,
}
