"""The setting delay: how the conversions that have not arrived yet are counted on."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from app.bandits.delay.curve import DelayCurve
from app.schemas.validation import combination_error

MAX_AGES = 366
"""Of a delay curve: a conversion that comes later than a year is not waited for."""
Fraction = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


class Delay(BaseModel):
    """How conversions that have not arrived yet are counted on; `"auto"` alone means `{"kind": "auto"}`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"kind": "auto"}, {"kind": "curve", "fractions": [0.4, 0.8, 1.0]}]},
    )

    kind: Literal["auto", "none", "curve"] = Field(
        default="auto",
        description="auto estimates the curve from the data, none counts what has come, curve is given",
    )
    fractions: Annotated[tuple[Fraction, ...], Field(min_length=1, max_length=MAX_AGES)] | None = Field(
        default=None,
        description="Of kind curve: which fraction of a day's conversions has come by 0, 1, 2, ... days later;"
        " never falling, the last is 1",
    )
    max_days: Annotated[int, Field(strict=True, ge=1, lt=MAX_AGES)] | None = Field(
        default=None,
        description="Of kind auto: all conversions come within so many days; null is 30, and reward_window_days"
        " in a tracked experiment",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_its_kind(cls, sent: Any) -> Any:
        """Take the kind alone as well."""
        return {"kind": sent} if isinstance(sent, str) else sent

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if (self.kind == "curve") != (self.fractions is not None):
            raise combination_error("fractions", "fractions go with kind curve, and kind curve needs them")
        if self.max_days is not None and self.kind != "auto":
            raise combination_error("max_days", f"max_days goes with kind auto, not {self.kind}")
        if self.fractions is not None:
            try:
                DelayCurve(self.fractions)
            except ValueError as error:
                raise combination_error("fractions", str(error)) from error
        return self

    @property
    def is_explicit(self) -> bool:
        """Return whether delayed conversions are asked for, rather than looked for by default."""
        return self.kind == "curve" or self.max_days is not None


def _described(title: str, description: str, *required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of one way to send a delay as an object; the fields of other kinds may be null."""
    others = {name: {"type": "null"} for name in ("fractions", "max_days") if name not in properties}
    return {
        "title": title,
        "type": "object",
        "description": description,
        "properties": properties | others,
        "required": list(required),
        "additionalProperties": False,
    }


_KIND = {
    "title": "DelayKind",
    "type": "string",
    "enum": ["auto", "none"],
    "description": "auto estimates the curve from the data, none counts what has come",
}
_FRACTIONS = {
    "type": "array",
    "items": {"type": "number", "minimum": 0, "maximum": 1},
    "minItems": 1,
    "maxItems": MAX_AGES,
    "description": "Which fraction of a day's conversions has come by 0, 1, 2, ... days later; never falling, the"
    " last is 1",
}
_MAX_DAYS = {
    "type": ["integer", "null"],
    "minimum": 1,
    "maximum": MAX_AGES - 1,
    "description": "All conversions come within so many days; null is 30, and reward_window_days in a tracked"
    " experiment",
}
_AUTO = _described(
    "DelayAuto",
    "Estimate the curve from the data",
    kind={"type": "string", "const": "auto"},
    max_days=_MAX_DAYS,
)
_NONE = _described("DelayNone", "Count what has come", "kind", kind={"type": "string", "const": "none"})
_CURVE_KIND = {"type": "string", "const": "curve"}
_CURVE = _described(
    "DelayCurve", "Use this curve", "kind", "fractions", kind=_CURVE_KIND, fractions=_FRACTIONS
)
_CHANGED_CURVE = _described(
    "DelayCurveChange", "Use this curve; the kind may be left out where a curve is in use", "fractions",
    kind=_CURVE_KIND, fractions=_FRACTIONS,
)  # fmt: skip
_EXAMPLES = ["auto", {"kind": "curve", "fractions": [0.4, 0.8, 1.0]}, {"kind": "auto", "max_days": 14}]

DelaySetting = Annotated[
    Delay,
    WithJsonSchema({"oneOf": [_KIND, _AUTO, _NONE, _CURVE], "examples": _EXAMPLES}, mode="validation"),
]
"""The delay of a new experiment; answers have every field of the object."""


def with_short_default(schema: dict[str, Any]) -> None:
    """Describe the default of a request by its kind alone: code generators take no object as a default."""
    if "oneOf" in schema:
        schema["default"] = "auto"


DelayChange = Annotated[
    Literal["auto", "none"] | dict[str, Any] | None,
    WithJsonSchema(
        {
            "oneOf": [_KIND, _AUTO, _NONE, _CHANGED_CURVE, {"type": "null"}],
            "examples": [*_EXAMPLES, {"max_days": 60}, None],
        }
    ),
]
"""A change of it (JSON merge-patch), which is checked with the setting it changes."""
