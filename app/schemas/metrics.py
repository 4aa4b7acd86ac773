"""Daily metrics on the wire."""

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from app.schemas.analysis.posterior import TotalsUsed
from app.schemas.fields import Amount, Count, CountFromText, Identifier, IsoDate, Money, MoneyFromText

MAX_ROWS = 5_000

EXAMPLE: dict[str, Any] = {
    "experiment_id": "homepage_test",
    "variant_id": "control",
    "date": "2023-07-15",
    "impressions": 1000,
    "successes": 120,
}


class DailyTotal(BaseModel):
    """The totals of one variant on one day."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    experiment_id: Identifier
    variant_id: Identifier
    date: IsoDate = Field(description="The day the totals belong to, in the experiment's time zone")
    impressions: Count = Field(description="How often the variant was shown (trials)")
    successes: Count = Field(description="How many of those converted")
    revenue: Money | None = Field(default=None, description="Total value of the day's converting units")
    revenue_sq: Annotated[Money, Field(ge=0)] | None = Field(
        default=None, description="Sum over units of (the unit's total value) squared"
    )
    as_of: IsoDate | None = Field(
        default=None,
        description="Last day whose conversions they hold; by default yesterday, or the stored one if later",
    )

    @property
    def key(self) -> tuple[str, str, dt.date]:
        """Return what there is one row in force of: (experiment, variant, date)."""
        return self.experiment_id, self.variant_id, self.date


class DailyTotalFromText(DailyTotal):
    """The same totals out of CSV cells, where every value is text."""

    impressions: CountFromText
    successes: CountFromText
    revenue: MoneyFromText | None = None
    revenue_sq: Annotated[MoneyFromText, Field(ge=0)] | None = None


def _one_or_many(body: Any) -> str:
    return "(many)" if isinstance(body, list) else "(one)"


DailyTotals = Annotated[
    Annotated[DailyTotal, Tag("(one)")]
    | Annotated[list[DailyTotal], Field(max_length=MAX_ROWS, title="Array of totals"), Tag("(many)")],
    Discriminator(_one_or_many),
]
"""One total or an array of them; the tag keeps errors to the branch that was meant."""


class Registered(BaseModel):
    """An experiment that a write registered, or to which it added variants."""

    experiment_id: str
    new: bool = Field(description="Whether the experiment itself is new")
    variants: list[str] = Field(description="Its new variants, in the order of their registration")


REGISTERED: list[Any] = [{"experiment_id": "homepage_test", "new": True, "variants": ["control"]}]


class Stored(BaseModel):
    """What became of the totals that were sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"received": 1, "inserted": 1, "updated": 0, "unchanged": 0, "registered": REGISTERED}
            ]
        }
    )

    received: int = Field(description="Totals in the request")
    inserted: int = Field(description="New (experiment, variant, date), or a new earlier report of one")
    updated: int = Field(description="Replaced, because a value differs")
    unchanged: int = Field(description="Stored already with the same values")
    registered: list[Registered] = Field(
        description="Experiments and variants that did not exist before: a misspelled id shows here"
    )


class LineError(BaseModel):
    """Why one line of a bulk upload was rejected."""

    line: int = Field(description="Line number, from 1; a CSV's header is line 1")
    field: str | None = Field(description="The invalid field, where there is one")
    message: str


class BulkStored(Stored):
    """What became of the lines of a bulk upload."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "received": 3,
                    "inserted": 2,
                    "updated": 0,
                    "unchanged": 0,
                    "registered": [],
                    "superseded": 0,
                    "rejected": 1,
                    "errors": [{"line": 2, "field": "impressions", "message": "Input should be a number"}],
                    "conflicts": [],
                }
            ]
        }
    )

    superseded: int = Field(description="Lines whose key came again further down: the last line wins")
    conflicts: list[LineError] = Field(
        description="The first superseded lines whose values differ from the line that was stored (mode=partial)"
    )
    rejected: int = Field(description="Lines rejected (mode=partial)")
    errors: list[LineError] = Field(description="The first rejected lines; `rejected` counts all of them")


STORED: dict[str, Any] = {
    "variant_id": "control",
    "date": "2023-07-15",
    "impressions": 1000,
    "successes": 120,
    "revenue": None,
    "revenue_sq": None,
    "updated_at": "2023-07-16T06:00:00Z",
    "as_of": "2023-07-15",
}


class StoredTotal(BaseModel):
    """One stored daily total."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [STORED]})

    variant_id: str
    date: dt.date
    impressions: int
    successes: int
    revenue: Amount | None
    revenue_sq: Amount | None
    updated_at: dt.datetime | None = Field(description="Null in a report that is no longer in force")
    as_of: dt.date | None = Field(
        description="The last day whose conversions the totals hold; null where unknown, and in tracked ones"
    )


class StoredTotalsPage(BaseModel):
    """A page of stored totals, by date and variant."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"experiment_id": "homepage_test", "items": [STORED], "totals": None, "next_cursor": None}
            ]
        }
    )

    experiment_id: str
    items: list[StoredTotal]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last one")
    totals: TotalsUsed | None = Field(
        description="The totals that decide `for_date`, raw and effective; null where no variant is active on it, "
        "and on every page but the first"
    )
