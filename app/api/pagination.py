"""Pages of a list: the opaque cursor of a place, and the page that begins behind it."""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from fastapi import Query
from pydantic import TypeAdapter

from app.errors import FieldError, Invalid
from app.schemas.fields import Count, Identifier, IsoDate

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=1_000, description="Items per page")]
Cursor = Annotated[str | None, Query(max_length=800, description="`next_cursor` of the page before")]


class Page(NamedTuple, Generic[Item]):
    """Some items, and the cursor of the page that follows; None where there is none."""

    items: list[Item]
    next_cursor: str | None


def page(found: Sequence[Item], limit: int, place: Callable[[Item], tuple[Any, ...]]) -> Page[Item]:
    """Return the first ``limit`` items of a query for ``limit + 1``: the one too many shows that others follow.

    Parameters
    ----------
    place : returns where an item stands in the order of the list, as JSON can express it
    """
    items = list(found[:limit])
    return Page(items, encode_cursor(*place(items[-1])) if len(found) > limit else None)


def encode_cursor(*place: Any) -> str:
    """Return the opaque cursor of the page that follows ``place``."""
    return base64.urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode().rstrip("=")


identifier: Callable[[Any], str] = TypeAdapter(Identifier).validate_python
iso_date: Callable[[Any], dt.date] = TypeAdapter(IsoDate).validate_python
sequence_number: Callable[[Any], int] = TypeAdapter(Count).validate_python


def decode_cursor(cursor: str | None, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    """Return the place that a cursor stands for, each part validated by its kind.

    Raises
    ------
    Invalid: no such cursor was ever returned
    """
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        error = FieldError("query.cursor", "Input should be the next_cursor of an earlier page")
        raise Invalid("the cursor cannot be read", [error]) from None
    return place
