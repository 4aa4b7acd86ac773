"""Assignments on the wire."""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from app.schemas.fields import Identifier, UnitId, VariantValue
from app.schemas.settings import Strict

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
        description="drawn: by the shares. holdout: kept out, gets the control. forced: by an override. "
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


Answer = Assignment | Annotated[list[Assignment | Unassigned], Field(title="One item per unit, in order")]
