"""Assignments over HTTP: which variant a unit gets, one or up to 1,000 at a time."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from app.api import problem_details
from app.api.dependencies import DatabaseDep, ExperimentPath
from app.api.pagination import Cursor, Limit, decode_cursor, page
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.api.state import state_of
from app.api.unit_of_work import (
    IdempotencyKeyHeader,
    IdempotentWriteDep,
    UnitOfWork,
    to_response,
    unit_of_work,
)
from app.errors import GroundhogError, InternalError, Unavailable
from app.schemas.assignments.assignments import (
    ASSIGNED,
    NO_SUCH,
    UNIT,
    Assignment,
    AssignmentsPage,
    ForgetIn,
    Forgotten,
    Merged,
    MergeIn,
    OverrideIn,
    StoredAssignment,
    Unassigned,
    Units,
)
from app.schemas.fields import UnitId
from app.services.assignments import stored_assignments
from app.services.assignments.assigner import Assigner, AssignmentOutcome
from app.services.assignments.bucketing import AssignmentResult

unit_id_from_cursor: Callable[[Any], str] = TypeAdapter(UnitId).validate_python

router = APIRouter(prefix="/assignments", tags=["assignments"], route_class=StrictRoute)

UNITS_EXAMPLES: dict[str, Any] = {
    "one": {"summary": "One unit", "value": UNIT},
    "array": {"summary": "An array of units", "value": [UNIT, UNIT | {"experiment_id": "homepage"}]},
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One unit that is already known or not stored; or an array: an item per unit, in order",
        "content": {
            "application/json": {
                "examples": {
                    "one": {"summary": "A known unit", "value": ASSIGNED | {"new": False}},
                    "array": {
                        "summary": "An array",
                        "value": [
                            ASSIGNED,
                            {"index": 1, **UNIT, "experiment_id": "homepage", "error": NO_SUCH},
                        ],
                    },
                }
            }
        },
    },
    201: {"description": "One unit that was assigned now", "model": Assignment},
}


@router.post(
    "",
    operation_id="assign",
    response_model=Assignment | list[Assignment | Unassigned],
    responses={**RESPONSES, **error_responses(404, 409, 413, 415, 422, 503)},
)
async def assign(
    units: Annotated[Units, Body(openapi_examples=UNITS_EXAMPLES)],
    request: Request,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Return the variant of a unit, or of up to 1,000; a unit without one is assigned now and keeps it.

    The first assignment is permanent, whatever the shares do later. In mode `rendezvous` nothing is stored before
    the first exposure. A request is not an exposure: no impression is counted. In an array the errors of one item
    concern it alone. Repeating is always safe, with or without an Idempotency-Key.
    """
    state = state_of(request)  # as dependencies these would cost as much as the rest of the route
    pairs = [(unit.experiment_id, unit.unit_id) for unit in (units if isinstance(units, list) else [units])]
    if idempotency_key is not None:
        write = unit_of_work(request, idempotency_key, sha256(await request.body()).digest())
        return await _assign_once(state.assigner, pairs, isinstance(units, list), write)
    outcomes = await state.assigner.assign(pairs, state.clock())
    return _to_response(*_message(outcomes, pairs, isinstance(units, list)))


async def _assign_once(
    assigner: Assigner, pairs: Sequence[tuple[str, str]], many: bool, write: UnitOfWork
) -> Response:
    """Return the response stored before, or assign and store the response.

    The assigner runs outside the transaction: it needs connections itself, and requests that held one would wait
    for each other. Assigning twice is harmless; of two responses the first one stored goes to both.
    """
    stored = await run_in_threadpool(write.find_response)
    if stored is not None:
        return to_response(stored)
    outcomes = await assigner.assign(pairs, write.now)
    message, status = _message(outcomes, pairs, many)
    if any(isinstance(outcome, Unavailable | InternalError) for outcome in outcomes):
        return _to_response(message, status)  # not stored: sent again, it may succeed
    return (await run_in_threadpool(write.commit_once, lambda _: message, status)).to_response()


def _to_response(message: Any, status: int) -> Response:
    return Response(json.dumps(message), status, media_type="application/json")


def _message(
    outcomes: Sequence[AssignmentOutcome], pairs: Sequence[tuple[str, str]], many: bool
) -> tuple[Any, int]:
    """Return the message and the status; raise the error of a single unit, or the one that all units share."""
    if not many:
        single = _assigned(outcomes[0])
        return _as_json(single), 201 if single.new else 200
    unavailable = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    if unavailable and len(unavailable) == len(outcomes):
        raise unavailable[0]
    items = [
        _item_problem(index, pair, outcome) if isinstance(outcome, GroundhogError) else _as_json(outcome)
        for index, (pair, outcome) in enumerate(zip(pairs, outcomes, strict=True))
    ]
    return items, 200


def _assigned(outcome: AssignmentOutcome) -> AssignmentResult:
    if isinstance(outcome, GroundhogError):
        raise outcome
    return outcome


def _as_json(assigned: AssignmentResult) -> dict[str, Any]:
    at = assigned.assigned_at
    return {
        "experiment_id": assigned.experiment_id,
        "unit_id": assigned.unit_id,
        "variant_id": assigned.variant_id,
        "value": assigned.value,
        "reason": assigned.reason,
        "propensity": assigned.propensity,
        "revision": assigned.revision,
        "assigned_at": None if at is None else at.isoformat().replace("+00:00", "Z"),
        "new": assigned.new,
    }


def _item_problem(index: int, pair: tuple[str, str], error: GroundhogError) -> dict[str, Any]:
    experiment_id, unit_id = pair
    status = problem_details.STATUS[type(error)]
    problem = {
        "type": "about:blank",
        "title": problem_details.TITLES[status],
        "status": status,
        "detail": error.detail,
    }
    return {"index": index, "experiment_id": experiment_id, "unit_id": unit_id, "error": problem}


@router.post(
    "/overrides",
    operation_id="override_assignment",
    response_model=OverrideIn,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def override_assignment(override: OverrideIn, write: IdempotentWriteDep) -> Response:
    """Force a unit to a variant, for testing or on request; null takes it back. Repeating changes nothing.

    A forced unit's events are rejected and it leaves the estimates. No total changes.
    """

    def force(session: Session) -> OverrideIn:
        stored_assignments.override(session, override, write.now)
        return override

    return write.commit_once(force).to_response()


@router.post(
    "/merge",
    operation_id="merge_units",
    response_model=Merged,
    responses=error_responses(404, 413, 415, 422, 503),
)
def merge_units(sent: MergeIn, write: IdempotentWriteDep) -> Response:
    """Let two ids of one unit (a cookie's, an account's) share its earliest assignment, here or everywhere.

    The other one leaves the estimates; no total changes. Merge once either has been assigned: before that there is
    no assignment to share. Repeating changes nothing.
    """
    return write.commit_once(
        lambda session: Merged(
            unit_id=sent.unit_id,
            into_unit_id=sent.into_unit_id,
            variants=stored_assignments.merge(session, sent, write.now),
        )
    ).to_response()


@router.post(
    "/forget",
    operation_id="forget_unit",
    response_model=Forgotten,
    responses=error_responses(404, 413, 415, 422, 503),
)
def forget_unit(sent: ForgetIn, write: IdempotentWriteDep) -> Response:
    """Replace a unit's id by a tombstone wherever it is stored; no total changes.

    Its events sent again still do not count. A response stored under an Idempotency-Key names it until it expires.
    """
    return write.commit_once(
        lambda session: stored_assignments.erase(session, sent.unit_id, sent.experiment_id)
    ).to_response()


@router.get(
    "/{experiment_id}",
    operation_id="read_assignment",
    response_model=StoredAssignment,
    responses=error_responses(404, 422, 503),
)
def read_assignment(experiment_id: ExperimentPath, unit_id: UnitId, database: DatabaseDep) -> Response:
    """Return the stored assignment of a unit; reading it stores nothing."""
    with database.transaction() as session:
        row = stored_assignments.read(session, experiment_id, unit_id)
        stored = StoredAssignment.model_validate(row)
    return Response(stored.model_dump_json(), media_type="application/json")


@router.get(
    "/{experiment_id}/units",
    operation_id="list_assignments",
    response_model=AssignmentsPage,
    responses=error_responses(404, 422, 503),
)
def list_assignments(
    experiment_id: ExperimentPath, database: DatabaseDep, cursor: Cursor = None, limit: Limit = 1_000
) -> AssignmentsPage:
    """Return the stored assignments of an experiment by unit id."""
    place = decode_cursor(cursor, unit_id_from_cursor)
    with database.transaction() as session:
        rows = stored_assignments.read_page(session, experiment_id, place[0] if place else None, limit + 1)
        found = [StoredAssignment.model_validate(row) for row in rows]
    items, next_cursor = page(found, limit, lambda last: (last.unit_id,))
    return AssignmentsPage(experiment_id=experiment_id, items=items, next_cursor=next_cursor)
