"""Events on the wire: what is sent, and what became of each."""

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from app.schemas.fields import Identifier, Moment, Money, UnitId
from app.schemas.validation import combination_error

MAX_EVENTS = 5_000

EXPOSURE: dict[str, Any] = {
    "experiment_id": "homepage_test",
    "unit_id": "user-4711",
    "event_id": "5f0c1c7e-exposure",
    "type": "exposure",
    "occurred_at": "2026-03-10T11:59:30Z",
}
CONVERSION = EXPOSURE | {"event_id": "order-81-conversion", "type": "conversion"}
VALUE = EXPOSURE | {"event_id": "order-81-value", "type": "value", "value": 49.9}

EventType = Literal["exposure", "conversion", "value"]
Status = Literal["counted", "known", "duplicate", "refused"]
Reason = Literal[
    "unknown_experiment",
    "reported_totals",
    "unknown_unit",
    "in_future",
    "before_assignment",
    "no_exposure",
    "before_exposure",
    "too_late",
    "forced",
    "retired_variant",
    "halted",
    "unknown_revision",
    "older_than_split",
]
REASONS: dict[Reason, str] = {
    "unknown_experiment": "there is no such experiment",
    "reported_totals": "the experiment's totals are reported with POST /metrics, and it takes no events",
    "unknown_unit": "the unit has no assignment; assign it, then send the event again",
    "in_future": "it has not happened yet: occurred_at is more than 5 minutes ahead",
    "before_assignment": "the exposure is more than 5 minutes older than the unit's assignment",
    "no_exposure": "the unit was not exposed yet; send its exposure, then this event again",
    "before_exposure": "it is more than 5 minutes older than the unit's first exposure and not caused by it",
    "too_late": "it happened after the reward window (reward_window_days) of the unit's first exposure",
    "forced": "the unit's variant was forced, not drawn: it counts nowhere",
    "retired_variant": "the unit's variant retired before that day, or was deleted: it is served the control",
    "halted": "nobody is drawn (state, or no active variant); name the revision of what was shown before",
    "unknown_revision": "no unit was drawn with this revision by then; send the one the assignment named",
    "older_than_split": "it is older than the shares it would be drawn with; name the revision the unit was shown",
}
"""Why an event is rejected, in words."""


class EventIn(BaseModel):
    """Something a unit did: it was shown its variant, it converted, or it was worth something."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [EXPOSURE, CONVERSION, VALUE]}
    )

    experiment_id: Identifier
    unit_id: UnitId
    event_id: UnitId = Field(
        description="A text of your own, unique in the experiment: sent again, the event counts no more"
    )
    type: EventType = Field(description="The first exposure is an impression, the first reward a success")
    occurred_at: Moment | None = Field(
        default=None, description="When it happened, with a zone (RFC 3339); by default now"
    )
    value: Money | None = Field(
        default=None, description="With type value: its amount, which adds to the unit's total; also negative"
    )
    revision: Identifier | None = Field(
        default=None,
        description="Of an exposure in assignment_mode rendezvous: the revision the unit was drawn with",
    )

    @model_validator(mode="after")
    def _value_with_its_type(self) -> Self:
        if (self.value is not None) != (self.type == "value"):
            message = (
                "type value needs a value"
                if self.value is None
                else "only an event of type value has a value"
            )
            raise combination_error("value", message)
        return self


def _one_or_many(body: Any) -> str:
    return "(many)" if isinstance(body, list) else "(one)"


EventsIn = Annotated[
    Annotated[EventIn, Tag("(one)")]
    | Annotated[list[EventIn], Field(max_length=MAX_EVENTS, title="Array of events"), Tag("(many)")],
    Discriminator(_one_or_many),
]
"""One event or an array of them."""

COUNTED_EXAMPLE: dict[str, Any] = {
    "event_id": "5f0c1c7e-exposure",
    "status": "counted",
    "reason": None,
    "detail": None,
    "counted_on": "2026-03-10",
}
REJECTED_EXAMPLE = COUNTED_EXAMPLE | {
    "event_id": "order-82-value",
    "status": "refused",
    "reason": "no_exposure",
    "detail": REASONS["no_exposure"],
    "counted_on": None,
}


class EventResult(BaseModel):
    """What became of one event."""

    model_config = ConfigDict(json_schema_extra={"examples": [COUNTED_EXAMPLE, REJECTED_EXAMPLE]})

    event_id: str
    status: Status = Field(
        description="counted: the totals changed; known: taken, but the unit was exposed or converted already;"
        " duplicate: this event_id was taken before; refused: not counted, and may be sent again"
    )
    reason: Reason | None = Field(description="Why it was not counted")
    detail: str | None = Field(
        description="The same in words; for a duplicate, whose event it is if another's"
    )
    counted_on: dt.date | None = Field(
        description="The day whose totals it changed: that of the unit's first exposure"
    )


class EventsResult(BaseModel):
    """What became of the events that were sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "received": 2,
                    "counted": 1,
                    "known": 0,
                    "duplicate": 0,
                    "refused": 1,
                    "items": [COUNTED_EXAMPLE, REJECTED_EXAMPLE],
                }
            ]
        }
    )

    received: int = Field(description="Events in the request")
    counted: int = Field(description="Events that changed the totals")
    known: int = Field(description="Events that were taken and changed nothing")
    duplicate: int = Field(description="Events that were taken before")
    refused: int = Field(description="Events that were not counted")
    items: list[EventResult] = Field(description="One per event, in the order sent")
