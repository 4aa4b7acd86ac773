"""Assignments on the wire."""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from app.schemas.experiments.settings import Strict
from app.schemas.fields import Identifier, UnitId, VariantValue

MAX_UNITS = 1_000
"""Of one request."""

UNIT: dict[str, Any] = {"experiment_id": "homepage_test", "unit_id": "user-42"}
ASSIGNED: dict[str, Any] = UNIT | {
    "variant_id": "bold",
    "value": "Sleep better",
    "reason": "drawn",
    "propensity": 0.619047,
    "revision": "5f0c5f8b6a2f9d3e",
    "assigned_at": "2023-07-16T08:15:30.123456Z",
    "new": True,
}
NO_SUCH: dict[str, Any] = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "there is no experiment 'homepage'",
}

Reason = Literal["drawn", "holdout", "forced", "retired", "paused", "archived"]


class Unit(Strict):
    """A unit (a user, a device, a session: whatever keeps its variant) and the experiment to assign it in."""

    model_config = ConfigDict(json_schema_extra={"examples": [UNIT]})

    experiment_id: Identifier
    unit_id: UnitId


def _one_or_many(body: Any) -> str:
    return "(many)" if isinstance(body, list) else "(one)"


Units = Annotated[
    Annotated[Unit, Tag("(one)")]
    | Annotated[list[Unit], Field(max_length=MAX_UNITS, title="Array of units"), Tag("(many)")],
    Discriminator(_one_or_many),
]
"""One unit or an array of them, of any experiments."""


class Assignment(BaseModel):
    """What a unit is served, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [ASSIGNED]})

    experiment_id: str
    unit_id: str
    variant_id: str = Field(description="The variant to show")
    value: VariantValue | None = Field(description="The variant's value; null where it has none")
    reason: Reason = Field(
        description="drawn: by the shares. holdout: held out, gets the control. forced: by an override. "
        "retired: its variant went, so it gets the control. paused, archived: the unit has no assignment and gets "
        "none now, only the control"
    )
    propensity: float | None = Field(description="The probability it was drawn with; null unless drawn")
    revision: str | None = Field(description="The allocation's revision it was drawn with; null unless drawn")
    assigned_at: dt.datetime | None = Field(
        description="When it was stored; null where nothing is: a halt, or mode rendezvous before an exposure"
    )
    new: bool = Field(description="Whether this request stored it")


class ItemProblem(BaseModel):
    """An error of one item (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class Unassigned(BaseModel):
    """Why a unit of an array is served nothing; the others are not affected."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"index": 1, **UNIT, "error": NO_SUCH}]})

    index: int = Field(description="The item's place in the request, from 0")
    experiment_id: str
    unit_id: str
    error: ItemProblem


class OverrideIn(Strict):
    """A unit to force."""

    model_config = ConfigDict(json_schema_extra={"examples": [UNIT | {"variant_id": "bold"}]})

    experiment_id: Identifier
    unit_id: UnitId
    variant_id: Identifier | None = Field(description="The variant it gets; null takes an override back")


class MergeIn(Strict):
    """Two ids of one unit."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"unit_id": "anonymous-7f3a", "into_unit_id": "user-42"}]}
    )

    unit_id: UnitId = Field(description="The id that was used before, such as a cookie's")
    into_unit_id: UnitId = Field(description="The id used from now on, such as an account's")
    experiment_id: Identifier | None = Field(default=None, description="By default in every experiment")


class Merged(BaseModel):
    """Which variant the two ids have in common, by experiment."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "unit_id": "anonymous-7f3a",
                    "into_unit_id": "user-42",
                    "variants": {"homepage_test": "bold"},
                }
            ]
        }
    )

    unit_id: str
    into_unit_id: str
    variants: dict[str, str] = Field(
        description="The earliest assignment decides; experiments in which neither has one are left out"
    )


class ForgetIn(Strict):
    """A unit to forget."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"unit_id": "user-42"}]})

    unit_id: UnitId
    experiment_id: Identifier | None = Field(default=None, description="By default in every experiment")


class Forgotten(BaseModel):
    """What was made anonymous."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assignments": 3, "events": 17}]})

    assignments: int
    events: int


STORED: dict[str, Any] = {
    "unit_id": "user-42",
    "variant_id": "bold",
    "kind": "drawn",
    "propensity": 0.619047,
    "revision": "5f0c5f8b6a2f9d3e",
    "assigned_at": "2023-07-16T08:15:30.123456Z",
    "exposed_at": "2023-07-16T08:15:31.5Z",
    "merged_into": None,
}


class StoredAssignment(BaseModel):
    """An assignment as it is stored."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [STORED]})

    unit_id: str
    variant_id: str
    kind: Literal["drawn", "holdout", "forced"]
    propensity: float | None = Field(description="Null unless drawn")
    revision: str | None = Field(description="Null unless drawn")
    assigned_at: dt.datetime
    exposed_at: dt.datetime | None = Field(description="The first exposure; null before it")
    merged_into: str | None = Field(description="The unit whose assignment decides instead of this one")


class AssignmentsPage(BaseModel):
    """A page of stored assignments, by unit id."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"experiment_id": "homepage_test", "items": [STORED], "next_cursor": None}]
        }
    )

    experiment_id: str
    items: list[StoredAssignment]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last one")
