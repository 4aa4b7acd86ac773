"""Pydantic's validation errors as field errors: where, and what to change; never the input itself."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from app.errors import FieldError, field_path

MAX_MESSAGE = 300
AT_FAULT = "at_fault"
"""In the context of a model's own error: the path of the field to change, within the model."""


def field_errors(error: ValidationError, *within: str) -> list[FieldError]:
    """Return all errors of a validation, in pydantic's order.

    Parameters
    ----------
    within : where the validated value is in the message, such as ``body``
    """
    found = error.errors(include_url=False, include_input=False)
    return [to_field_error(one, *within) for one in found]


def to_field_error(found: Mapping[str, Any], *within: str) -> FieldError:
    """Return one of pydantic's errors, without the tags of unions."""
    at_fault = found.get("ctx", {}).get(AT_FAULT, ())
    return FieldError(field_path((*within, *found["loc"], *at_fault)), found["msg"][:MAX_MESSAGE])


def combination_error(field: str, message: str) -> PydanticCustomError:
    """Return the error of a model whose fields do not go together, to be reported at the field to change."""
    return PydanticCustomError("combination", "{message}", {"message": message, AT_FAULT: field.split(".")})
