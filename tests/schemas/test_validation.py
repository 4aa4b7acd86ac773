"""Pydantic's errors as field errors: the place, the message, and nothing of the input."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Discriminator, Field, Tag, TypeAdapter, ValidationError

from app.errors import FieldError
from app.schemas.validation import MAX_MESSAGE, field_errors


class Item(BaseModel):
    count: int = Field(strict=True)


Items = Annotated[
    Annotated[Item, Tag("(one)")] | Annotated[list[Item], Tag("(many)")],
    Discriminator(lambda body: "(many)" if isinstance(body, list) else "(one)"),
]


def errors_of(kind, value, *within):
    with pytest.raises(ValidationError) as rejected:
        TypeAdapter(kind).validate_python(value)
    return field_errors(rejected.value, *within)


def test_places_are_joined_with_dots_without_the_tags_of_unions():
    found = errors_of(Items, [{"count": 1}, {"count": "secret"}, {}], "body")
    assert found == [
        FieldError("body.1.count", "Input should be a valid integer"),
        FieldError("body.2.count", "Field required"),
    ]


def test_an_error_of_the_whole_value_has_the_place_it_is_within():
    assert errors_of(int, "secret")[0].field == ""
    assert errors_of(int, "secret", "body")[0].field == "body"


def test_long_messages_are_truncated():
    found = errors_of(Literal["a" * 1000], "secret")
    assert len(found[0].message) == MAX_MESSAGE
