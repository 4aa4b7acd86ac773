"""Assignments over HTTP: which variant a unit gets, one or up to 1,000 at a time."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any

from anyio import from_thread
from fastapi import APIRouter, Body, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from app.api import problems
from app.api.deps import IdempotencyKeyHeader, as_response, carry_out, same_request
from app.api.problems import answers
from app.api.strict import StrictRoute
from app.errors import GroundhogError, Unavailable
from app.schemas.assignments import ASSIGNED, NO_SUCH, UNIT, Assignment, Unassigned, Units
from app.services import idempotency
from app.services.assigner import Assigner, Outcome
from app.services.draws import Assigned

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
    responses={**ANSWERS, **answers(404, 409, 413, 415, 422, 503)},
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

    async def outcomes() -> idempotency.Answer:
        found = await assigner.assign(pairs, now)
        return _array(found, pairs) if many else _single(found[0])

    if idempotency_key is None:
        return as_response(await outcomes())

    # The rows are committed before the key is: lost in between, a repeated request finds the units known
    def work(_: Session) -> idempotency.Answer:
        return from_thread.run(outcomes)

    once = same_request(request, idempotency_key, sha256(await request.body()).digest())
    return await run_in_threadpool(carry_out, state.database, once, work, now)


def _single(outcome: Outcome) -> idempotency.Answer:
    if isinstance(outcome, GroundhogError):
        raise outcome
    return idempotency.Answer(201 if outcome.new else 200, json.dumps(_as_json(outcome)))


def _array(outcomes: Sequence[Outcome], pairs: Sequence[tuple[str, str]]) -> idempotency.Answer:
    away = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    if away and len(away) == len(outcomes):
        raise away[0]
    items = [
        _refused(index, pair, outcome) if isinstance(outcome, GroundhogError) else _as_json(outcome)
        for index, (pair, outcome) in enumerate(zip(pairs, outcomes, strict=True))
    ]
    return idempotency.Answer(200, json.dumps(items))


def _as_json(assigned: Assigned) -> dict[str, Any]:
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


def _refused(index: int, pair: tuple[str, str], error: GroundhogError) -> dict[str, Any]:
    experiment_id, unit_id = pair
    status = problems.STATUS[type(error)]
    fault = {
        "type": "about:blank",
        "title": problems.TITLES[status],
        "status": status,
        "detail": error.detail,
    }
    return {"index": index, "experiment_id": experiment_id, "unit_id": unit_id, "error": fault}
