"""Gates: what keeps the policy from deciding alone on a date, each with its numbers and its sentence.

One class per gate. A new gate is a class here, its place in ``Gate``, what finds it in
``app.services.allocations.gates``, and its short name in the dashboard (``badges.js``).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.fields import DayOrTime

MAX_DAYS_EXPLAINED = 3


class ArchivedGate(BaseModel):
    """The experiment is archived: the shares of its last running day are held."""

    gate: Literal["archived"]
    since: dt.date

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        return f"Archived since {self.since}: the shares of the day it stopped are held."


class PausedGate(BaseModel):
    """The experiment is paused: the shares of the day it began are held."""

    gate: Literal["paused"]
    since: dt.date

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        return f"Paused since {self.since}: the shares of that day are held."


class RolloutGate(BaseModel):
    """One variant was given all traffic."""

    gate: Literal["rollout"]
    variant_id: str

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        return f"Rolled out: {self.variant_id} gets all traffic until the rollout is undone."


class NoDataGate(BaseModel):
    """No variant has any data."""

    gate: Literal["no_data"]

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        return "No variant has any data yet: equal shares, subject to floors and fixed shares."


class NoRevenueGate(BaseModel):
    """The objective is value, and successes were reported without revenue."""

    gate: Literal["no_revenue"]
    days_without: dict[str, int] = Field(description="Days with successes and no revenue, by variant")

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        return (
            f"Revenue is missing on days with successes of {_names(self.days_without)}: equal shares until it is"
            " reported, because the objective is value."
        )


class RequiredData(BaseModel):
    """What the settings require of a variant before P(best) counts it."""

    days: int
    impressions: int
    successes: int


class ReportedData(BaseModel):
    """The effective data of a variant."""

    days: int
    impressions: float
    successes: float


class BurnInGate(BaseModel):
    """Some variants have less data than the settings require."""

    gate: Literal["burn_in"]
    asked: RequiredData
    variants: dict[str, ReportedData] = Field(description="The variants in burn-in")

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        return (
            f"In burn-in, with less data than required: {_names(self.variants)}; the others share the rest."
        )


class ImpossibleTotals(BaseModel):
    """Effective totals of a variant with more successes than impressions."""

    impressions: float
    successes: float


class InvalidTotalsGate(BaseModel):
    """Some variants have more successes than impressions."""

    gate: Literal["invalid_totals"]
    possible_through: DayOrTime | None = Field(
        description="The latest day (moment, with cadence hour) up to which all totals are possible; null where"
        " there is none"
    )
    variants: dict[str, ImpossibleTotals]

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        day = self.possible_through
        shares = "equal" if day is None else f"those of the data up to {day}"
        return f"More successes than impressions of {_names(self.variants)}: the shares are {shares}."


class IncompleteDayGate(BaseModel):
    """Days are left out because an active variant with traffic has not reported them."""

    gate: Literal["incomplete_day"]
    days: int
    missing: dict[dt.date, list[str]] = Field(description="The newest of these days, and who is missing")

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        newest = list(self.missing.items())[-MAX_DAYS_EXPLAINED:]
        listed = "; ".join(f"{date} lacks {', '.join(variants)}" for date, variants in newest)
        return f"{self.days} day(s) left out because a variant with traffic had not reported: {listed}."


class StaleDataGate(BaseModel):
    """There have been no data for several days; the shares are not changed by this gate."""

    gate: Literal["stale_data"]
    days_without_data: int

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        return f"No data for {self.days_without_data} days: the shares are based on old data."


class SplitCount(BaseModel):
    """How many impressions or units a variant had, and how many its shares would have given it."""

    impressions: float | None = None
    units: float | None = None
    expected: float


class SampleRatioGate(BaseModel):
    """Traffic was not split by the shares (sample ratio mismatch); the shares are not changed by this gate."""

    gate: Literal["srm"]
    p_value: float
    days: int | None = Field(default=None, description="Recorded days whose impressions were compared")
    splits: int | None = Field(default=None, description="Different splits whose units were compared")
    variants: dict[str, SplitCount]

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        found = (
            "Units were not assigned with the shares they were drawn with"
            if self.days is None
            else f"Impressions were not split as served on {self.days} recorded day(s)"
        )
        return (
            f"{found} (p = {self.p_value:.2g}): check whether traffic is lost or redirected;"
            " the shares are unchanged."
        )


class DelayDiffersGate(BaseModel):
    """The variants' conversions come with different delays: each variant's own delay curve is used."""

    gate: Literal["delay_differs"]
    e_value: float = Field(description="The evidence that they differ, valid at daily looks; at least 1,000")
    variants: dict[str, float] = Field(
        description="Conversions that came later than the common delay has them (below 0: earlier)"
    )

    @property
    def sentence(self) -> str:
        """Return what the gate does, in words."""
        latest = max(self.variants, key=lambda variant_id: self.variants[variant_id])
        return (
            f"The conversions of the variants come with different delays (e-value {self.e_value:.3g}), the latest"
            f" those of {latest}: each variant's own delay curve is used."
        )


class OtherGate(BaseModel):
    """A gate that another version recorded; only its name is read."""

    model_config = ConfigDict(extra="allow")

    gate: str = Field(pattern=r"^[a-z_]{1,64}$")

    @property
    def sentence(self) -> str:
        """Return what is known of the gate."""
        return f"The gate {self.gate} is active."


KnownGate = Annotated[
    ArchivedGate
    | PausedGate
    | RolloutGate
    | NoDataGate
    | NoRevenueGate
    | BurnInGate
    | InvalidTotalsGate
    | IncompleteDayGate
    | StaleDataGate
    | SampleRatioGate
    | DelayDiffersGate,
    Field(discriminator="gate"),
]
Gate = Annotated[KnownGate | OtherGate, Field(union_mode="left_to_right")]


def _names(variants: Mapping[str, object]) -> str:
    return ", ".join(variants)
