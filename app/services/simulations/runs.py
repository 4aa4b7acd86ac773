"""Stored runs of the simulator: create, read, list and cancel them, and fail the orphaned ones."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, true, tuple_, update
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid, NotFound
from app.schemas.simulations.simulations import Progress, SimulationSummary, State
from app.services.access import audit_log, principal
from app.services.simulations.scenarios import RunnableScenario
from app.storage.tables import SimulationRun as Run

ORPHANED_AFTER = dt.timedelta(seconds=15)
"""A run without a heartbeat for so long is orphaned; there are two heartbeats a second."""

UNFINISHED = ("queued", "running")
SUMMARY_COLUMNS = (
    Run.simulation_id,
    Run.scenario,
    Run.state,
    Run.created_at,
    Run.done,
    Run.total,
    Run.request,
    Run.fault,
)


def check_bound(prepared: RunnableScenario, max_decisions: int) -> None:
    """Reject a simulation with too many decisions.

    Raises
    ------
    Invalid: naming the bound
    """
    if prepared.decisions > max_decisions:
        message = (
            f"rounds x replications x policies is {prepared.decisions:,}; the bound is {max_decisions:,}"
        )
        raise Invalid(message, [FieldError("body.replications", message)])


def create(session: Session, scenario: str, prepared: RunnableScenario, now: dt.datetime) -> str:
    """Store a new run as queued; return its id."""
    simulation_id = uuid.uuid4().hex
    audit_log.add_subject(simulation_id)
    session.add(
        Run(
            simulation_id=simulation_id,
            scenario=scenario,
            state="queued",
            created_at=now,
            seen_at=now,
            done=0,
            total=prepared.steps,
            request=json.dumps(prepared.request, separators=(",", ":"), ensure_ascii=False),
            experiment_prefix=principal.current_principal.get().experiment_prefix,
        )
    )
    return simulation_id


def read(session: Session, simulation_id: str, now: dt.datetime) -> SimulationSummary:
    """Return a run as it is now, without its result.

    Raises
    ------
    NotFound: there is no such run
    """
    _fail_orphans(session, now, Run.simulation_id == simulation_id)
    row = session.execute(
        select(*SUMMARY_COLUMNS).where(Run.simulation_id == simulation_id, _visible())
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no simulation {simulation_id!r}")
    return _summary(row)


def read_result(session: Session, simulation_id: str, now: dt.datetime) -> str:
    """Return a run as JSON, with the stored bytes of its result where it has one.

    Raises
    ------
    NotFound: there is no such run
    """
    summary = read(session, simulation_id, now).model_dump_json()
    result = session.scalar(select(Run.result).where(Run.simulation_id == simulation_id))
    return summary if result is None else f"{summary[:-1]},{result[1:]}"


def result_of(
    session: Session, simulation_id: str, now: dt.datetime
) -> tuple[SimulationSummary, dict[str, Any]]:
    """Return a run that is done, and its result.

    Raises
    ------
    NotFound: there is no such run
    Conflict: it is not done
    """
    summary = read(session, simulation_id, now)
    if summary.state != "done":
        raise Conflict(f"simulation {simulation_id!r} is {summary.state}: it has no result")
    result = session.scalars(select(Run.result).where(Run.simulation_id == simulation_id)).one()
    assert result is not None
    return summary, json.loads(result)


def read_interim(session: Session, simulation_id: str, now: dt.datetime) -> tuple[SimulationSummary, Any]:
    """Return a run as it is now, and its interim result while it is played, in scenarios that have one.

    Raises
    ------
    NotFound: there is no such run
    """
    summary = read(session, simulation_id, now)
    interim_result = session.scalar(select(Run.standing).where(Run.simulation_id == simulation_id))
    return summary, None if interim_result is None else json.loads(interim_result)


def list_simulations(
    session: Session, before: tuple[dt.datetime, str] | None, limit: int, now: dt.datetime
) -> list[SimulationSummary]:
    """Return up to ``limit`` runs, the newest first, those older than ``before``."""
    _fail_orphans(session, now)
    query = (
        select(*SUMMARY_COLUMNS).where(_visible()).order_by(Run.created_at.desc(), Run.simulation_id.desc())
    )
    if before is not None:
        query = query.where(tuple_(Run.created_at, Run.simulation_id) < before)
    return [_summary(row) for row in session.execute(query.limit(limit))]


def cancel(session: Session, simulation_id: str, now: dt.datetime) -> SimulationSummary:
    """Cancel a run; its record stays as cancelled. Cancelling twice changes nothing.

    Raises
    ------
    NotFound: there is no such run
    Conflict: it has finished
    """
    session.execute(
        update(Run)
        .where(Run.simulation_id == simulation_id, Run.state.in_(UNFINISHED), _visible())
        .values(state="cancelled")
    )
    summary = read(session, simulation_id, now)
    if summary.state != "cancelled":
        raise Conflict(f"simulation {simulation_id!r} is {summary.state}: there is nothing to cancel")
    return summary


def finish(
    session: Session,
    simulation_id: str,
    state: State,
    done: int,
    total: int,
    result: str | None,
    error: str | None,
) -> None:
    """Store the end of a run, unless it was cancelled or failed before."""
    session.execute(
        update(Run)
        .where(Run.simulation_id == simulation_id, Run.state.in_(UNFINISHED))
        .values(state=state, done=done, total=total, standing=None, result=result, fault=error)
    )


def record_heartbeats(
    session: Session, progress: Mapping[str, tuple[int, int, bool, str | None]], now: dt.datetime
) -> set[str]:
    """Store the progress of runs, (done, total, running, interim result) by id; return which are not cancelled."""
    active = set()
    for simulation_id, (done, total, running, interim_result) in sorted(progress.items()):
        found = session.scalar(
            update(Run)
            .where(Run.simulation_id == simulation_id, Run.state.in_(UNFINISHED))
            .values(
                done=done,
                total=total,
                state="running" if running else "queued",
                standing=interim_result,
                seen_at=now,
            )
            .returning(Run.simulation_id)
        )
        active |= {found} if found is not None else set()
    return active


def _visible() -> ColumnElement[bool]:
    """Select the runs the principal can see: all, or those of keys with the same or a longer experiment prefix."""
    prefix = principal.current_principal.get().experiment_prefix
    return true() if prefix is None else Run.experiment_prefix.startswith(prefix, autoescape=True)


def _fail_orphans(session: Session, now: dt.datetime, *which: ColumnElement[bool]) -> None:
    """Fail the runs without heartbeats: the service was killed, or its machine stopped."""
    orphaned = Run.state.in_(UNFINISHED) & (Run.seen_at < now - ORPHANED_AFTER)
    ids = select(Run.simulation_id).where(orphaned, *which)
    found = session.scalars(ids).all()
    if found:
        session.execute(
            update(Run)
            .where(Run.simulation_id.in_(found), orphaned)
            .values(state="failed", fault="it was orphaned: the service that played it ended")
        )


def _summary(row: Any) -> SimulationSummary:
    return SimulationSummary(
        id=row.simulation_id,
        scenario=row.scenario,
        state=row.state,
        created_at=row.created_at,
        progress=Progress(done=row.done, total=row.total),
        fault=row.fault,
        request=json.loads(row.request),
    )
