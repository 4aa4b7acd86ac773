"""Pydantic's validation errors as field errors: where, and what to change; never the input itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from app.errors import FieldError, field_path
from app.schemas.fields import PATTERNS

MAX_MESSAGE = 300
AT_FAULT = "at_fault"
"""In the context of a model's own error: the path of the field to change, within the model."""


def field_errors(error: ValidationError, *within: str) -> list[FieldError]:
    """Return all errors of a validation, in pydantic's order.

    Parameters
    ----------
    within : where the validated value is in the message, such as ``body``
    """
    return [
        to_field_error(one, *within)
        for one in of_sent_fields(error.errors(include_url=False, include_input=False))
    ]


def of_sent_fields(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return pydantic's errors without those of defaults that follow a field which has an error itself."""
    return [one for one in found if one["type"] != "default_factory_not_called"]


def to_field_error(found: Mapping[str, Any], *within: str) -> FieldError:
    """Return one of pydantic's errors, without the tags of unions."""
    context = found.get("ctx", {})
    message = found["msg"]
    if found["type"] == "string_pattern_mismatch":
        message = f"Input should be {PATTERNS.get(context['pattern'], 'text of the documented form')}"
    return FieldError(field_path((*within, *found["loc"], *context.get(AT_FAULT, ()))), message[:MAX_MESSAGE])


def combination_error(field: str, message: str) -> PydanticCustomError:
    """Return the error of a model whose fields do not go together, to be reported at the field to change."""
    return PydanticCustomError("combination", "{message}", {"message": message, AT_FAULT: field.split(".")})
