"""Pydantic's validation errors as field errors: where, and what to change; never the input itself."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.errors import FieldError, field_path

MAX_MESSAGE = 300


def field_errors(error: ValidationError, *within: str) -> list[FieldError]:
    """Return all errors of a validation, in pydantic's order.

    Parameters
    ----------
    within : where the validated value is in the message, such as ``body``
    """
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [to_field_error(one, *within) for one in found]


def to_field_error(found: Mapping[str, Any], *within: str) -> FieldError:
    """Return one of pydantic's errors, without the tags of unions."""
    return FieldError(field_path((*within, *found["loc"])), found["msg"][:MAX_MESSAGE])
