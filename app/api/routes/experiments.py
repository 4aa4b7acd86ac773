"""Experiments and their variants over HTTP."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.conditional import IfMatch
from app.api.dependencies import AllocationDate, CurrentTime, DatabaseDep, ExperimentPath, VariantPath
from app.api.pagination import Cursor, Limit, decode_cursor, identifier, page
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.api.unit_of_work import IdempotentWriteDep, WriteDep
from app.errors import PreconditionFailed
from app.schemas.analysis.delay import DelayReport
from app.schemas.analysis.estimates import Estimates
from app.schemas.analysis.impact import Comparison, Gain
from app.schemas.analysis.posterior import Posterior
from app.schemas.etags import etag_of, matches
from app.schemas.experiments.deletion import Deletion
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
from app.services.analysis import delay, estimates, impact, posterior
from app.services.experiments import deletion, lifecycle, variants

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
def create_experiment(experiment: ExperimentIn, write: IdempotentWriteDep) -> Response:
    """Create an experiment with its settings and first variants.

    Not needed before reporting totals: `POST /metrics/` registers what it does not know.
    """
    return write.commit_once(
        lambda session: lifecycle.create(session, experiment, write.now),
        status=201,
        location=lambda created: f"/experiments/{created.experiment_id}",
    ).to_response()


@router.get(
    "", operation_id="list_experiments", response_model=ExperimentsPage, responses=error_responses(422, 503)
)
def list_experiments(database: DatabaseDep, cursor: Cursor = None, limit: Limit = 100) -> ExperimentsPage:
    """Return the experiments in the order of their ids."""
    place = decode_cursor(cursor, identifier)
    with database.transaction() as session:
        found = lifecycle.list_experiments(session, place[0] if place else None, limit + 1)
    items, next_cursor = page(found, limit, lambda last: (last.experiment_id,))
    return ExperimentsPage(items=items, next_cursor=next_cursor)


@router.get(
    "/{experiment_id}",
    operation_id="read_experiment",
    response_model=Experiment,
    responses=error_responses(404, 422, 503),
)
def read_experiment(experiment_id: ExperimentPath, database: DatabaseDep, response: Response) -> Experiment:
    """Return an experiment as it is now: settings, state, variants."""
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
    write: WriteDep,
    response: Response,
    if_match: IfMatch = None,
) -> Experiment:
    """Change settings, texts or state (JSON merge-patch); it applies from today on.

    `{"state": "paused"}` keeps the shares of the day it begins; `"running"` resumes, `"archived"` archives it.
    """
    precondition = None if if_match is None else partial(_check_match, if_match)
    experiment = write.commit(
        lambda session: lifecycle.change(session, experiment_id, patch, write.now, precondition)
    )
    response.headers["ETag"] = etag(experiment)
    return experiment


def _check_match(if_match: str, experiment: Experiment) -> None:
    current = etag(experiment)
    if not matches(if_match, current, weak=False):
        raise PreconditionFailed(
            f"experiment {experiment.experiment_id!r} changed since you read it: its ETag is {current}"
        )


@router.delete(
    "/{experiment_id}",
    operation_id="delete_experiment",
    response_model=Deletion,
    responses=error_responses(404, 422, 503),
)
def delete_experiment(
    experiment_id: ExperimentPath,
    write: WriteDep,
    confirm: Annotated[str | None, Query(max_length=256, description="The experiment's id once more")] = None,
) -> Deletion:
    """Delete an experiment permanently, with everything stored of it; to keep its data, archive it instead.

    Without the right `confirm` nothing is deleted, and the error says what would be. Export it first if its data
    may be needed again. Reporting to its id afterwards registers a new experiment.
    """
    write.commit(lambda session: deletion.archive(session, experiment_id, confirm, write.now))
    return write.commit(lambda session: deletion.delete_experiment(session, experiment_id, write.now))


@router.post(
    "/{experiment_id}/rollout",
    operation_id="roll_out_variant",
    response_model=Experiment,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def roll_out_variant(
    experiment_id: ExperimentPath, rollout: RolloutIn, write: IdempotentWriteDep
) -> Response:
    """Give one variant all traffic from today on; it is recorded like every change, and can be undone."""
    return write.commit_once(
        lambda session: lifecycle.roll_out(session, experiment_id, rollout.variant_id, write.now)
    ).to_response()


@router.delete(
    "/{experiment_id}/rollout",
    operation_id="undo_rollout",
    response_model=Experiment,
    responses=error_responses(404, 422, 503),
)
def undo_rollout(experiment_id: ExperimentPath, write: WriteDep) -> Experiment:
    """Let the policy decide again from today on."""
    return write.commit(lambda session: lifecycle.undo_rollout(session, experiment_id, write.now))


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
    "/{experiment_id}/delay",
    operation_id="read_delay",
    response_model=DelayReport,
    responses=error_responses(404, 422, 503),
)
def read_delay(
    experiment_id: ExperimentPath, database: DatabaseDep, now: CurrentTime, for_date: AllocationDate = None
) -> DelayReport:
    """Return how long conversions take to arrive: the curve in use, and the estimates with their intervals."""
    with database.transaction() as session:
        return delay.delay(session, experiment_id, for_date, now)


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
    """Compare every variant of a date with the control: the difference, and the probability that it is better."""
    with database.transaction() as session:
        return impact.comparison(session, experiment_id, for_date, now)


@router.get(
    "/{experiment_id}/estimates",
    operation_id="read_estimates",
    response_model=Estimates,
    responses=error_responses(404, 409, 422, 503),
)
def read_estimates(experiment_id: ExperimentPath, database: DatabaseDep, now: CurrentTime) -> Estimates:
    """Estimate a tracked experiment's variants from its units, corrected for shares that changed over time.

    For each variant the mean outcome per unit in three ways with 95 % intervals, its difference from the control,
    and the effect of all variants together against the hold-out. While conversions are still outstanding,
    `immature` says of how many units, and `matured` which fraction of each variant's has come.
    """
    with database.transaction() as session:
        return estimates.read(session, experiment_id, now)


@router.post(
    "/{experiment_id}/variants",
    operation_id="add_variant",
    response_model=Variant,
    status_code=201,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def add_variant(experiment_id: ExperimentPath, variant: VariantIn, write: IdempotentWriteDep) -> Response:
    """Add a variant to a running experiment; it joins the split from today on, in burn-in."""
    return write.commit_once(
        lambda session: variants.add_variant(session, experiment_id, variant, write.now),
        status=201,
        location=lambda _: f"/experiments/{experiment_id}",
    ).to_response()


@router.patch(
    "/{experiment_id}/variants/{variant_id}",
    operation_id="change_variant",
    response_model=Variant,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def change_variant(
    experiment_id: ExperimentPath, variant_id: VariantPath, patch: VariantPatch, write: WriteDep
) -> Variant:
    """Change a variant's texts, make it the control, or retire it with `{"retired_on": "YYYY-MM-DD"}`."""
    return write.commit(
        lambda session: variants.change_variant(session, experiment_id, variant_id, patch, write.now)
    )


@router.delete(
    "/{experiment_id}/variants/{variant_id}",
    operation_id="delete_variant",
    status_code=204,
    responses=error_responses(404, 409, 422, 503),
)
def delete_variant(experiment_id: ExperimentPath, variant_id: VariantPath, write: WriteDep) -> None:
    """Delete a variant that was never exposed; one that was can be retired."""
    write.commit(lambda session: variants.delete_variant(session, experiment_id, variant_id))
