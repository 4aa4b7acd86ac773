"""Cursors: opaque places in a list, encoded and decoded."""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from pydantic import TypeAdapter

from app.errors import FieldError, Invalid
from app.schemas.fields import Count, Identifier, IsoDate

Limit = Annotated[int, Query(ge=1, le=1_000, description="Items per page")]


Cursor = Annotated[str | None, Query(max_length=800, description="`next_cursor` of the page before")]


def encode_cursor(*place: Any) -> str:
    """Return the opaque cursor of the page that follows ``place``."""
    return base64.urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode().rstrip("=")


identifier: Callable[[Any], str] = TypeAdapter(Identifier).validate_python


iso_date: Callable[[Any], dt.date] = TypeAdapter(IsoDate).validate_python


sequence_number: Callable[[Any], int] = TypeAdapter(Count).validate_python


def decode_cursor(cursor: str | None, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    """Return the place a cursor stands for, each part read by its kind.

    Raises
    ------
    Invalid: the cursor is not one of ours
    """
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        fault = FieldError("query.cursor", "Input should be the next_cursor of an earlier page")
        raise Invalid("the cursor is not one of ours", [fault]) from None
    return place
