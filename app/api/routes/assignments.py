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
from app.api.dependencies import CurrentTime, DatabaseDep, ExperimentPath
from app.api.idempotency import (
    IdempotencyDep,
    IdempotencyKeyHeader,
    execute_write,
    idempotent_request,
    to_response,
)
from app.api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
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
from app.services.access import idempotency
from app.services.access.idempotency import StoredResponse
from app.services.assignments import stored_assignments
from app.services.assignments.assigner import Assigner, AssignmentOutcome
from app.services.assignments.bucketing import AssignmentResult
from app.storage.database import Database

unit_id_from_cursor: Callable[[Any], str] = TypeAdapter(UnitId).validate_python

router = APIRouter(prefix="/assignments", tags=["assignments"], route_class=StrictRoute)

UNITS_EXAMPLES: dict[str, Any] = {
    "one": {"summary": "One unit", "value": UNIT},
    "array": {"summary": "An array of units", "value": [UNIT, UNIT | {"experiment_id": "homepage"}]},
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One unit that is known already or not stored; or an array: an item per unit, in order",
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
    responses={**ANSWERS, **error_responses(404, 409, 413, 415, 422, 503)},
)
async def assign(
    units: Annotated[Units, Body(openapi_examples=UNITS_EXAMPLES)],
    request: Request,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Return the variant of a unit, or of up to 1,000; a unit without one is assigned now and keeps it.

    The first assignment stays for ever, whatever the shares do later. In mode `rendezvous` nothing is stored
    before the first exposure. Asking is not an exposure: no impression is counted. In an array the faults of one
    item concern it alone. Repeating is always safe, with or without an Idempotency-Key.
    """
    state = request.app.state  # as dependencies these would cost as much as the rest of the route
    assigner: Assigner = state.assigner
    now = state.clock()
    many = isinstance(units, list)
    pairs = [(unit.experiment_id, unit.unit_id) for unit in (units if isinstance(units, list) else [units])]

    if idempotency_key is None:
        return to_response(_answer(await assigner.assign(pairs, now), pairs, many))
    once = idempotent_request(request, idempotency_key, sha256(await request.body()).digest())
    kept = await run_in_threadpool(_to_response, state.database, once)
    if kept is not None:
        return to_response(kept)
    # No transaction is open now: the assigner needs connections itself, and who held one would wait for the
    # others. Assigning twice is harmless; of two answers the first one kept goes to both.
    outcomes = await assigner.assign(pairs, now)
    answer = _answer(outcomes, pairs, many)
    if any(isinstance(outcome, Unavailable | InternalError) for outcome in outcomes):
        return to_response(answer)  # sent again, it may fare better
    return await run_in_threadpool(execute_write, state.database, once, lambda _: answer, now)


def _to_response(database: Database, request: idempotency.IdempotentRequest | None) -> StoredResponse | None:
    with database.transaction() as session:
        return idempotency.find_response(session, request)


def _answer(
    outcomes: Sequence[AssignmentOutcome], pairs: Sequence[tuple[str, str]], many: bool
) -> StoredResponse:
    return _array(outcomes, pairs) if many else _single(outcomes[0])


def _single(outcome: AssignmentOutcome) -> StoredResponse:
    if isinstance(outcome, GroundhogError):
        raise outcome
    return StoredResponse(201 if outcome.new else 200, json.dumps(_as_json(outcome)))


def _array(outcomes: Sequence[AssignmentOutcome], pairs: Sequence[tuple[str, str]]) -> StoredResponse:
    away = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    if away and len(away) == len(outcomes):
        raise away[0]
    items = [
        _item_problem(index, pair, outcome) if isinstance(outcome, GroundhogError) else _as_json(outcome)
        for index, (pair, outcome) in enumerate(zip(pairs, outcomes, strict=True))
    ]
    return StoredResponse(200, json.dumps(items))


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
    fault = {
        "type": "about:blank",
        "title": problem_details.TITLES[status],
        "status": status,
        "detail": error.detail,
    }
    return {"index": index, "experiment_id": experiment_id, "unit_id": unit_id, "error": fault}


@router.post(
    "/overrides",
    operation_id="override_assignment",
    response_model=OverrideIn,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def override_assignment(
    override: OverrideIn, database: DatabaseDep, request: IdempotencyDep, now: CurrentTime
) -> Response:
    """Force a unit to a variant, for testing or by wish; null takes it back. Repeating changes nothing.

    A forced unit's events are refused and it leaves the estimates. No total changes.
    """

    def work(session: Session) -> StoredResponse:
        stored_assignments.override(session, override, now)
        return StoredResponse.of(override)

    return execute_write(database, request, work, now)


@router.post(
    "/merge",
    operation_id="merge_units",
    response_model=Merged,
    responses=error_responses(404, 413, 415, 422, 503),
)
def merge_units(sent: MergeIn, database: DatabaseDep, request: IdempotencyDep, now: CurrentTime) -> Response:
    """Let two ids of one unit (a cookie's, an account's) share its earliest assignment, here or everywhere.

    The other one leaves the estimates; no total changes. Merge once either has been assigned: before that there is
    nothing to keep. Repeating changes nothing.
    """

    def work(session: Session) -> StoredResponse:
        variants = stored_assignments.merge(session, sent, now)
        return StoredResponse.of(
            Merged(unit_id=sent.unit_id, into_unit_id=sent.into_unit_id, variants=variants)
        )

    return execute_write(database, request, work, now)


@router.post(
    "/forget",
    operation_id="forget_unit",
    response_model=Forgotten,
    responses=error_responses(404, 413, 415, 422, 503),
)
def forget_unit(sent: ForgetIn, database: DatabaseDep, request: IdempotencyDep, now: CurrentTime) -> Response:
    """Replace a unit's id by a tombstone wherever it is stored; no total changes.

    Its events sent again still do not count. Answers kept under an Idempotency-Key may name it until they expire.
    """

    def work(session: Session) -> StoredResponse:
        return StoredResponse.of(stored_assignments.erase(session, sent.unit_id, sent.experiment_id))

    return execute_write(database, request, work, now)


@router.get(
    "/{experiment_id}",
    operation_id="read_assignment",
    response_model=StoredAssignment,
    responses=error_responses(404, 422, 503),
)
def read_assignment(experiment_id: ExperimentPath, unit_id: UnitId, database: DatabaseDep) -> Response:
    """Return the stored assignment of a unit; asking stores nothing."""
    with database.transaction() as session:
        row = stored_assignments.read(session, experiment_id, unit_id)
        return to_response(StoredResponse.of(StoredAssignment.model_validate(row)))


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
        items = [StoredAssignment.model_validate(row) for row in rows[:limit]]
    more = len(rows) > limit
    return AssignmentsPage(
        experiment_id=experiment_id,
        items=items,
        next_cursor=encode_cursor(items[-1].unit_id) if more else None,
    )
