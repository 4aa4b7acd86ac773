"""The OpenFeature Remote Evaluation Protocol, version 0.3.0, on the wire: experiments seen as flags."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.fields import VariantValue

CONTEXT: dict[str, Any] = {"context": {"targetingKey": "user-42", "country": "AT"}}
EVALUATED: dict[str, Any] = {
    "key": "homepage_test",
    "reason": "SPLIT",
    "variant": "bold",
    "value": "Sleep better",
    "metadata": {"reason": "drawn", "propensity": 0.619047, "revision": "5f0c5f8b6a2f9d3e"},
}
MISSING: dict[str, Any] = {
    "key": "homepage",
    "errorCode": "FLAG_NOT_FOUND",
    "errorDetails": "there is no flag 'homepage'",
}

ErrorCode = Literal["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"]


class EvaluationRequest(BaseModel):
    """For whom flags are evaluated."""

    model_config = ConfigDict(json_schema_extra={"examples": [CONTEXT]})

    context: dict[str, Any] = Field(
        description="`targetingKey` is the unit's id: 1 to 256 bytes of any Unicode without control characters. "
        "Other attributes decide nothing"
    )


class EvaluatedFlag(BaseModel):
    """An experiment's variant for a unit."""

    model_config = ConfigDict(json_schema_extra={"examples": [EVALUATED]})

    key: str = Field(description="The experiment's id")
    reason: Literal["SPLIT", "STATIC", "TARGETING_MATCH", "DISABLED"] = Field(
        description="SPLIT: drawn by the shares. TARGETING_MATCH: forced by an override. STATIC: there was no "
        "choice (hold-out, rollout, retired variant). DISABLED: paused or archived, the control"
        " for a unit that has no variant yet"
    )
    variant: str
    value: VariantValue = Field(description="The variant's value, or its id where it has none")
    metadata: dict[str, bool | str | float] = Field(
        description="`reason` as in POST /assignments; `propensity` and `revision` where the unit was drawn; "
        "`state` while the experiment is paused or archived"
    )


class FlagFailure(BaseModel):
    """Why a flag, or a whole request, was not evaluated."""

    model_config = ConfigDict(json_schema_extra={"examples": [MISSING]})

    key: str | None = Field(default=None, description="The flag; not in answers to a bulk request as a whole")
    errorCode: ErrorCode  # noqa: N815
    errorDetails: str  # noqa: N815


class EvaluatedFlags(BaseModel):
    """Every experiment that is offered as a flag and not archived, for a unit."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"flags": [EVALUATED]}]})

    flags: list[EvaluatedFlag | FlagFailure]


PREFIX = "/ofrep/"
