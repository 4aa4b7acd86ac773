"""The OpenFeature Remote Evaluation Protocol 0.3.0: any OpenFeature SDK can evaluate variants as flags.

A flag's key is an experiment's id, the targeting key is the unit's. An evaluation assigns, but is no exposure.
Errors have the protocol's own format (`failure`), never problem+json.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.responses import JSONResponse

from app import errors
from app.api import problem_details
from app.api.conditional import NOT_MODIFIED, IfNoneMatch, conditional_response
from app.api.pagination import identifier
from app.api.routing import ProtectedRoute
from app.api.state import state_of
from app.schemas.assignments.ofrep import (
    CONTEXT,
    PREFIX,
    ErrorCode,
    EvaluatedFlag,
    EvaluatedFlags,
    EvaluationRequest,
    FlagFailure,
)
from app.schemas.etags import etag_of
from app.schemas.experiments.experiments import State
from app.schemas.fields import UnitId
from app.schemas.validation import field_errors
from app.services.assignments.assigner import AssignmentOutcome
from app.services.assignments.bucketing import AssignmentResult, Reason

FLAGS = f"{PREFIX}v1/evaluate/flags"
MAX_REQUEST_BYTES = 65_536

router = APIRouter(prefix=FLAGS, tags=["openfeature"], route_class=ProtectedRoute)

REASONS: Mapping[Reason, str] = {
    "drawn": "SPLIT",
    "forced": "TARGETING_MATCH",
    "holdout": "STATIC",
    "retired": "STATIC",
    "paused": "DISABLED",
    "archived": "DISABLED",
}
"""OpenFeature's reasons; a unit that was assigned with probability 1 had no alternative, which is STATIC, too."""

CODES: Mapping[type[errors.GroundhogError], tuple[int, ErrorCode]] = {
    errors.NotFound: (404, "FLAG_NOT_FOUND"),
    errors.Conflict: (400, "GENERAL"),
    errors.TooLarge: (400, "INVALID_CONTEXT"),
    errors.UnsupportedMediaType: (400, "PARSE_ERROR"),
}

REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": EvaluationRequest.model_json_schema(), "example": CONTEXT}
        },
    }
}
FAILURES: dict[int | str, dict[str, Any]] = {
    400: {
        "model": FlagFailure,
        "description": "PARSE_ERROR, TARGETING_KEY_MISSING, INVALID_CONTEXT or GENERAL",
    },
    503: {
        "model": FlagFailure,
        "description": "The database is not available; `Retry-After` has the seconds to wait",
    },
}

unit_id_of = TypeAdapter(UnitId).validate_python


class Unreadable(errors.Invalid):
    """An evaluation request that is not valid, with the protocol's error code."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@router.post(
    "/{key:path}",
    operation_id="evaluate_flag",
    response_model=EvaluatedFlag,
    responses={
        **NOT_MODIFIED,
        404: {"model": FlagFailure, "description": "FLAG_NOT_FOUND: no such experiment is offered as a flag"},
        **FAILURES,
    },
    openapi_extra=REQUEST,
)
async def evaluate_flag(
    request: Request,
    key: Annotated[str, Path(description="The experiment's id")],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return a unit's variant in one experiment as a flag (OFREP); a unit without one is assigned.

    An evaluation is not an exposure: no impression is counted.
    """
    body = await request.body()
    unit_id = _targeting_key(body)
    outcome = (await _assign(request, [(_experiment(key), unit_id)]))[0]
    if isinstance(outcome, errors.GroundhogError):
        raise outcome
    return _response(_flag(outcome), body, if_none_match)


@router.post(
    "",
    operation_id="evaluate_flags",
    response_model=EvaluatedFlags,
    responses={**NOT_MODIFIED, **FAILURES},
    openapi_extra=REQUEST,
)
async def evaluate_flags(
    request: Request,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return a unit's variants in all experiments that are offered as flags and not archived, by id (OFREP).

    At most GROUNDHOG_OFREP_FLAGS of those that the key may access. An evaluation is not an exposure: no impression
    is counted.
    """
    body = await request.body()
    unit_id = _targeting_key(body)
    keys = await state_of(request).flags.read()
    outcomes = await _assign(request, [(key, unit_id) for key in keys]) if keys else []
    unavailable = [outcome for outcome in outcomes if isinstance(outcome, errors.Unavailable)]
    if unavailable and len(unavailable) == len(outcomes):
        raise unavailable[0]
    flags = [
        _flag_or_failure(key, outcome)
        for key, outcome in zip(keys, outcomes, strict=True)
        if not isinstance(outcome, errors.NotFound)  # no longer a flag
    ]
    return _response(f'{{"flags": [{", ".join(flags)}]}}', body, if_none_match)


async def _assign(request: Request, pairs: Sequence[tuple[str, str]]) -> list[AssignmentOutcome]:
    state = state_of(request)
    return await state.assigner.assign(pairs, state.clock(), flags_only=True)


def _experiment(key: str) -> str:
    try:
        return identifier(key)
    except ValidationError:
        raise errors.NotFound(f"there is no flag {key[:128]!r}") from None


def _targeting_key(body: bytes) -> str:
    if len(body) > MAX_REQUEST_BYTES:
        raise Unreadable("INVALID_CONTEXT", f"the context has more than {MAX_REQUEST_BYTES} bytes")
    try:
        message = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Unreadable("PARSE_ERROR", "the body is not JSON") from None
    if not isinstance(message, dict):
        raise Unreadable("PARSE_ERROR", "the body should be an object with a context")
    context = message.get("context", {})
    if not isinstance(context, dict):
        raise Unreadable("INVALID_CONTEXT", "the context should be an object")
    if context.get("targetingKey") in (None, ""):
        raise Unreadable("TARGETING_KEY_MISSING", "context.targetingKey, the unit's id, is missing")
    try:
        unit_id: str = unit_id_of(context["targetingKey"])
    except ValidationError as error:
        message = field_errors(error)[0].message
        raise Unreadable("INVALID_CONTEXT", f"context.targetingKey: {message}") from None
    return unit_id


def _flag_or_failure(key: str, outcome: AssignmentOutcome) -> str:
    if isinstance(outcome, AssignmentResult):
        return _flag(outcome)
    return json.dumps({"key": key, "errorCode": _code_of(outcome)[1], "errorDetails": outcome.detail})


def _flag(assigned: AssignmentResult) -> str:
    """Return a flag as JSON; all units that were drawn into a variant with one split have the same."""
    value = assigned.variant_id if assigned.value is None else assigned.value
    text = _json_of_flag if isinstance(value, str | int) else _json_of_flag.__wrapped__
    return text(
        assigned.experiment_id,
        assigned.variant_id,
        value,
        assigned.reason,
        assigned.propensity,
        assigned.revision,
        assigned.state,
    )


@lru_cache(maxsize=4_096, typed=True)  # 1 and true are equal, but not the same JSON
def _json_of_flag(
    experiment_id: str,
    variant_id: str,
    value: object,
    reason: Reason,
    propensity: float | None,
    revision: str | None,
    state: State,
) -> str:
    metadata: dict[str, Any] = {"reason": reason}
    if propensity is not None:
        metadata |= {"propensity": propensity, "revision": revision}
    if state != "running":
        metadata["state"] = state
    return json.dumps(
        {
            "key": experiment_id,
            "reason": "STATIC" if propensity == 1 else REASONS[reason],
            "variant": variant_id,
            "value": value,
            "metadata": metadata,
        }
    )


def _response(message: str, request_body: bytes, if_none_match: str | None) -> Response:
    """Return the response with a tag over the request, with its whole context, and the result."""
    body = message.encode()
    return conditional_response(body, etag_of(request_body, body), if_none_match)


def failure(error: errors.GroundhogError, path: str) -> Response:
    """Return an error in the protocol's format; the key of a single evaluation is in its path."""
    status, code = _code_of(error)
    key = path.removeprefix(f"{FLAGS}/") if path.startswith(f"{FLAGS}/") else None
    body = {"errorCode": code, "errorDetails": error.detail}
    return JSONResponse(
        body if key is None else {"key": key, **body}, status, headers=problem_details.headers_of(error)
    )


def _code_of(error: errors.GroundhogError) -> tuple[int, ErrorCode]:
    if isinstance(error, Unreadable):
        return 400, error.code
    return CODES.get(type(error)) or (problem_details.STATUS[type(error)], "GENERAL")


problem_details.ERROR_FORMATS[PREFIX] = failure
