"""Allocations on the wire, and as everything inside the service reads them."""

import datetime as dt
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.schemas.fields import DayOrTime
from app.schemas.gates import Gate

EXAMPLE: dict[str, Any] = {
    "experiment_id": "homepage_test",
    "date": "2023-07-16",
    "allocations": {"control": 100.0},
    "revision": "a58ce4ba2cb3c9c5",
    "policy": {"kind": "thompson"},
    "objective": "conversion",
    "settings": {},
    "data_through": "2023-07-15",
    "gates": [],
    "variants": [
        {
            "variant_id": "control",
            "impressions": 1000,
            "successes": 120,
            "mean": 0.120758483,
            "interval_95": [0.10136, 0.14158],
            "p_best": 1.0,
            "expected_loss": 0.0,
            "share": 100.0,
        }
    ],
    "value_remaining": 0.0,
    "stop_advice": None,
    "recorded": False,
    "explain": [
        "Used 1,000 impressions and 120 successes up to 2023-07-15; nothing dated 2023-07-16 or later."
    ],
}


Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
"""A number that is spelt without a fraction where it has none."""


class VariantAllocation(BaseModel):
    """What is known of one variant, and what it gets.

    Computed numbers are rounded to the digits that all processors agree on: 10 significant ones, probabilities
    and losses fewer where they are small.
    """

    variant_id: str
    impressions: Number = Field(description="Effective impressions used")
    successes: Number = Field(description="Effective successes used")
    matured: float | None = Field(
        default=None,
        description="Fraction of its conversions that has come: impressions count as far; only with a delay",
    )
    mean: float = Field(description="Posterior mean of the rate")
    interval_95: tuple[float, float] = Field(description="Equal-tailed 95 % posterior interval of the rate")
    value_per_impression: float | None = Field(
        default=None,
        description="Posterior mean of what an impression earns, costs subtracted (objective value)",
    )
    value_interval_95: tuple[float, float] | None = Field(
        default=None,
        description="Equal-tailed 95 % posterior interval of it; too narrow without revenue_sq",
    )
    p_best: float | None = Field(
        description="Probability of being the best variant; null while in burn-in or without impressions"
    )
    expected_loss: float | None = Field(
        description="Expected shortfall of the rate against the best variant's; null where p_best is"
    )
    share: float = Field(description="Percent of traffic")


class StopAdvice(BaseModel):
    """What the stop rule says today; it is advice, nothing stops by itself."""

    stop: bool
    variant_id: str = Field(description="The variant with the largest P(best), the one to ship")
    rule: str
    figure: float = Field(description="What the rule looks at")
    threshold: float
    days: int = Field(
        description="Days on which any variant past burn-in had impressions, since each of them has had some"
    )
    minimum_days: int


class DelayUsed(BaseModel):
    """The delay of conversions that the totals were counted with."""

    kind: Literal["auto", "curve"] = Field(description="auto: estimated from the data; curve: given")
    unit: Literal["hour"] | None = Field(
        default=None, description="Of the ages of the curve, with cadence hour; absent where they are days"
    )
    curve: list[float] = Field(
        description="Which fraction of a day's conversions has come by 0, 1, 2, ... days later"
    )
    own_curves: dict[str, list[float]] | None = Field(
        default=None,
        description="Each variant's own curve, which counts while the gate delay_differs is active",
    )
    matured: float = Field(description="Which fraction of the conversions of all impressions used has come")


class AssumedZero(BaseModel):
    """A day that a variant with traffic has not reported, counted as 0 impressions of it."""

    variant_id: str
    date: dt.date
    share: float = Field(description="Percent of that day's traffic")
    expected_impressions: float = Field(
        description="Impressions expected of it, by its share and the impressions that were reported"
    )


class Allocation(BaseModel):
    """The shares of a date and why they are what they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    experiment_id: str
    date: dt.date
    allocations: Annotated[
        dict[str, float], Field(description="Percent of traffic per variant; they sum to exactly 100")
    ]
    revision: str = Field(description="Digest of everything that decided: same inputs, same revision")
    policy: dict[str, Any]
    objective: str
    settings: dict[str, Any] = Field(
        description="The other settings in force that differ from their defaults"
    )
    data_through: DayOrTime | None = Field(
        description="Last day whose data are used, with cadence hour the end of the last hour; null without data"
    )
    gates: list[Gate] = Field(description="What keeps the policy from deciding alone")
    variants: list[VariantAllocation]
    value_remaining: float | None = Field(
        description="With 95 % probability no variant beats the leading one by more than this fraction of its"
        " rate; null without data, and under objective value"
    )
    stop_advice: StopAdvice | None = Field(description="Null with fewer than two variants to compare")
    recorded: bool = Field(description="Whether this answer is recorded permanently (see the history)")
    currency: str | None = Field(default=None, description="Of values (objective value)")
    delay: DelayUsed | None = Field(
        default=None,
        description="With which delay impressions were counted; absent where all conversions have come",
    )
    assumed_zero: list[AssumedZero] = Field(
        default=[],
        description="Days counted as 0 impressions of a variant that did not report them, the newest 31; left out"
        " where there are none",
    )
    explain: list[str] = Field(
        description="In words: the data used, the gates and why, what moved since the last recorded answer"
    )

    @property
    def gate_names(self) -> list[str]:
        """Return the names of its gates, in the order of their precedence."""
        return [gate.gate for gate in self.gates]

    def to_json(self) -> str:
        """Return the text that is served and recorded; fields that were not given are not in it."""
        return json.dumps(self.model_dump(mode="json", exclude_unset=True), allow_nan=False)


class StoredAllocation(Allocation):
    """An allocation as some version recorded it: the first ones wrote fewer fields."""

    settings: dict[str, Any] = {}
    stop_advice: StopAdvice | None = None
    explain: list[str] = []


class Revision(BaseModel):
    """One recorded revision of a date's allocation."""

    date: dt.date
    sequence: int = Field(description="1 for the date's first revision in force, 2 for the next, ...")
    revision: str
    inputs_digest: str = Field(description="SHA-256 of everything that decided")
    recorded_at: dt.datetime
    allocations: dict[str, float]
    p_best: dict[str, float | None]
    expected_loss: dict[str, float | None]
    value_remaining: float | None
    gates: list[str]


REVISION: dict[str, Any] = {
    "date": "2023-07-16",
    "sequence": 1,
    "revision": "a58ce4ba2cb3c9c5",
    "inputs_digest": "a58ce4ba2cb3c9c5" * 4,
    "recorded_at": "2023-07-16T06:00:00Z",
    "allocations": {"control": 100.0},
    "p_best": {"control": 1.0},
    "expected_loss": {"control": 0.0},
    "value_remaining": 0.0,
    "gates": [],
}


class History(BaseModel):
    """A page of recorded revisions, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"experiment_id": "homepage_test", "items": [REVISION], "next_cursor": None}]
        }
    )

    experiment_id: str
    items: list[Revision]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last one")
