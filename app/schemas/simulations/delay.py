"""How long conversions take in a simulated world, and what its policies make of it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from app.schemas.experiments.settings import Strict

MAX_DAYS = 365

AtOnce = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


class NoDelay(Strict):
    """Every conversion comes on the day of its impression."""

    kind: Literal["none"]


class FixedDelay(Strict):
    """Conversions come exactly so many days later."""

    kind: Literal["fixed"]
    days: Annotated[int, Field(strict=True, ge=0, le=MAX_DAYS)] = Field(description="Days until a conversion")
    at_once: AtOnce = Field(default=0.0, description="Fraction of the conversions that comes at once instead")


class GeometricDelay(Strict):
    """Of the conversions still to come, the same part comes on each day, that of the impression included."""

    kind: Literal["geometric"]
    mean: Annotated[float, Field(strict=True, ge=0, le=MAX_DAYS, allow_inf_nan=False)] = Field(
        description="Mean days until a conversion"
    )
    at_once: AtOnce = Field(default=0.0, description="Fraction of the conversions that comes at once instead")


def _kind(sent: Any) -> str:
    if isinstance(sent, Mapping):
        return f"({sent.get('kind')})"
    return f"({sent.kind})" if isinstance(sent, NoDelay | FixedDelay | GeometricDelay) else "(number)"


Distribution = (
    Annotated[NoDelay, Tag("(none)")]
    | Annotated[FixedDelay, Tag("(fixed)")]
    | Annotated[GeometricDelay, Tag("(geometric)")]
)

WorldDelay = Annotated[
    Annotated[Annotated[int, Field(strict=True, ge=0, le=1_000_000)], Tag("(number)")] | Distribution,
    Discriminator(
        _kind,
        custom_error_type="delay",
        custom_error_message="should be a number, or an object with the kind none, fixed or geometric",
    ),
]

DelayCorrection = Literal["auto", "none"]
DELAY_CORRECTION = (
    "What a decision makes of outstanding conversions: auto counts impressions as far as their conversions are"
    " expected to have come, none counts what has come; as the setting `delay` of an experiment"
)
