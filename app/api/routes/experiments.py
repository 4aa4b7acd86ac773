"""Experiments and their variants over HTTP."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from sqlalchemy.orm import Session

from app.api.dependencies import AllocationDate, CurrentTime, DatabaseDep, ExperimentPath, VariantPath
from app.api.idempotency import IdempotencyDep, execute_write
from app.api.pagination import Cursor, Limit, decode_cursor, encode_cursor, identifier
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.errors import PreconditionFailed
from app.schemas.analysis.estimates import Estimates
from app.schemas.analysis.impact import Comparison, Gain
from app.schemas.analysis.posterior import Posterior
from app.schemas.etags import etag_of, matches
from app.schemas.experiments.experiments import (
    Experiment,
    ExperimentIn,
    ExperimentPatch,
    ExperimentsPage,
    RolloutIn,
    Variant,
    VariantIn,
    VariantPatch,
)
from app.services.access.idempotency import StoredResponse
from app.services.analysis import estimates, impact, posterior
from app.services.experiments import lifecycle, variants

router = APIRouter(prefix="/experiments", tags=["experiments"], route_class=StrictRoute)


def etag(experiment: Experiment) -> str:
    """Return the entity tag of an experiment's representation."""
    return etag_of(experiment.model_dump_json().encode())


@router.post(
    "",
    operation_id="create_experiment",
    response_model=Experiment,
    status_code=201,
    responses=error_responses(409, 413, 415, 422, 503),
)
def create_experiment(
    experiment: ExperimentIn, database: DatabaseDep, request: IdempotencyDep, now: CurrentTime
) -> Response:
    """Create an experiment with its settings and first variants.

    Not needed before reporting totals: `POST /metrics/` registers what it does not know.
    """

    def work(session: Session) -> StoredResponse:
        made = lifecycle.create(session, experiment, now)
        return StoredResponse.of(made, 201, f"/experiments/{made.experiment_id}")

    return execute_write(database, request, work, now)


@router.get(
    "", operation_id="list_experiments", response_model=ExperimentsPage, responses=error_responses(422, 503)
)
def list_experiments(database: DatabaseDep, cursor: Cursor = None, limit: Limit = 100) -> ExperimentsPage:
    """Return the experiments in the order of their ids."""
    place = decode_cursor(cursor, identifier)
    with database.transaction() as session:
        found = lifecycle.list_experiments(session, place[0] if place else None, limit + 1)
    more = len(found) > limit
    last = found[:limit][-1].experiment_id if more else None
    return ExperimentsPage(items=found[:limit], next_cursor=encode_cursor(last) if more else None)


@router.get(
    "/{experiment_id}",
    operation_id="read_experiment",
    response_model=Experiment,
    responses=error_responses(404, 422, 503),
)
def read_experiment(experiment_id: ExperimentPath, database: DatabaseDep, response: Response) -> Experiment:
    """Return an experiment as it stands: settings, state, variants."""
    with database.transaction() as session:
        experiment = lifecycle.read(session, experiment_id)
    response.headers["ETag"] = etag(experiment)
    return experiment


@router.patch(
    "/{experiment_id}",
    operation_id="change_experiment",
    response_model=Experiment,
    responses=error_responses(404, 412, 413, 415, 422, 503),
)
def change_experiment(
    experiment_id: ExperimentPath,
    patch: ExperimentPatch,
    database: DatabaseDep,
    response: Response,
    now: CurrentTime,
    if_match: Annotated[
        str | None, Header(description="The ETag you read: refuse if it changed since")
    ] = None,
) -> Experiment:
    """Change settings, words or state (JSON merge-patch); it applies from today on.

    `{"state": "paused"}` holds the shares of the day it begins; `"running"` resumes, `"archived"` puts it away.
    """
    with database.transaction() as session:
        precondition = None if if_match is None else partial(_check_match, if_match)
        experiment = lifecycle.change(session, experiment_id, patch, now, precondition)
    response.headers["ETag"] = etag(experiment)
    return experiment


def _check_match(if_match: str, experiment: Experiment) -> None:
    current = etag(experiment)
    if not matches(if_match, current, weak=False):
        raise PreconditionFailed(
            f"experiment {experiment.experiment_id!r} changed since you read it: its ETag is {current}"
        )


@router.post(
    "/{experiment_id}/rollout",
    operation_id="roll_out_variant",
    response_model=Experiment,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def roll_out_variant(
    experiment_id: ExperimentPath,
    rollout: RolloutIn,
    database: DatabaseDep,
    request: IdempotencyDep,
    now: CurrentTime,
) -> Response:
    """Give one variant all traffic from today on; it is recorded like every change, and can be undone."""

    def work(session: Session) -> StoredResponse:
        return StoredResponse.of(lifecycle.roll_out(session, experiment_id, rollout.variant_id, now))

    return execute_write(database, request, work, now)


@router.delete(
    "/{experiment_id}/rollout",
    operation_id="undo_rollout",
    response_model=Experiment,
    responses=error_responses(404, 422, 503),
)
def undo_rollout(experiment_id: ExperimentPath, database: DatabaseDep, now: CurrentTime) -> Experiment:
    """Let the policy decide again from today on."""
    with database.transaction() as session:
        return lifecycle.undo_rollout(session, experiment_id, now)


@router.get(
    "/{experiment_id}/posterior",
    operation_id="read_posterior",
    response_model=Posterior,
    responses=error_responses(404, 409, 422, 503),
)
def read_posterior(
    experiment_id: ExperimentPath,
    database: DatabaseDep,
    now: CurrentTime,
    for_date: AllocationDate = None,
    points: Annotated[int, Query(ge=2, le=1_001, description="Points of each curve")] = 101,
) -> Posterior:
    """Return the posterior density of every variant's rate, for drawing, as known on a date."""
    with database.transaction() as session:
        return posterior.posterior(session, experiment_id, for_date, now, points)


@router.get(
    "/{experiment_id}/gain",
    operation_id="read_gain",
    response_model=Gain,
    responses=error_responses(404, 422, 503),
)
def read_gain(
    experiment_id: ExperimentPath, database: DatabaseDep, now: CurrentTime, for_date: AllocationDate = None
) -> Gain:
    """Return the extra conversions, and value, earned before a date beyond an even split of the same traffic."""
    with database.transaction() as session:
        return impact.gain(session, experiment_id, for_date, now)


@router.get(
    "/{experiment_id}/comparison",
    operation_id="compare_with_control",
    response_model=Comparison,
    responses=error_responses(404, 409, 422, 503),
)
def compare_with_control(
    experiment_id: ExperimentPath, database: DatabaseDep, now: CurrentTime, for_date: AllocationDate = None
) -> Comparison:
    """Return every variant of a date beside the control: the difference, and the probability that it is better."""
    with database.transaction() as session:
        return impact.comparison(session, experiment_id, for_date, now)


@router.get(
    "/{experiment_id}/estimates",
    operation_id="read_estimates",
    response_model=Estimates,
    responses=error_responses(404, 409, 422, 503),
)
def read_estimates(experiment_id: ExperimentPath, database: DatabaseDep) -> Estimates:
    """Return what the units of a tracked experiment tell of its variants, corrected for shares that moved.

    For each variant the mean outcome per unit in three ways with 95 % intervals, its difference from the control,
    and what all are worth against the hold-out.
    """
    with database.transaction() as session:
        return estimates.read(session, experiment_id)


@router.post(
    "/{experiment_id}/variants",
    operation_id="add_variant",
    response_model=Variant,
    status_code=201,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def add_variant(
    experiment_id: ExperimentPath,
    variant: VariantIn,
    database: DatabaseDep,
    request: IdempotencyDep,
    now: CurrentTime,
) -> Response:
    """Add a variant to a running experiment; it joins the split from today on, in burn-in."""

    def work(session: Session) -> StoredResponse:
        made = variants.add_variant(session, experiment_id, variant, now)
        return StoredResponse.of(made, 201, f"/experiments/{experiment_id}")

    return execute_write(database, request, work, now)


@router.patch(
    "/{experiment_id}/variants/{variant_id}",
    operation_id="change_variant",
    response_model=Variant,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def change_variant(
    experiment_id: ExperimentPath,
    variant_id: VariantPath,
    patch: VariantPatch,
    database: DatabaseDep,
    now: CurrentTime,
) -> Variant:
    """Change a variant's words, make it the control, or retire it with `{"retired_on": "YYYY-MM-DD"}`."""
    with database.transaction() as session:
        return variants.change_variant(session, experiment_id, variant_id, patch, now)


@router.delete(
    "/{experiment_id}/variants/{variant_id}",
    operation_id="delete_variant",
    status_code=204,
    responses=error_responses(404, 409, 422, 503),
)
def delete_variant(experiment_id: ExperimentPath, variant_id: VariantPath, database: DatabaseDep) -> None:
    """Delete a variant that was never exposed; one that was can be retired."""
    with database.transaction() as session:
        variants.delete_variant(session, experiment_id, variant_id)
