"""Runs of the simulator: kept, read, listed, cancelled, and found where they were left behind."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, true, tuple_, update
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid, NotFound
from app.schemas.simulations import Progress, SimulationSummary, State
from app.services.access import audit_log, principal
from app.services.simulations.scenarios import RunnableScenario
from app.storage.tables import SimulationRun as Run

ORPHANED_AFTER = dt.timedelta(seconds=15)
"""Without a sign of life a run is taken for left behind; they come twice a second."""

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


def check_bound(prepared: RunnableScenario, most: int) -> None:
    """Refuse more work than one simulation may make.

    Raises
    ------
    Invalid: with the bound
    """
    if prepared.decisions > most:
        message = f"rounds x replications x policies is {prepared.decisions:,}; the bound is {most:,}"
        raise Invalid(message, [FieldError("body.replications", message)])


def create(session: Session, scenario: str, prepared: RunnableScenario, now: dt.datetime) -> str:
    """Write a new run down, queued; return its id."""
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
    """Return a run as it stands, without its result.

    Raises
    ------
    NotFound: there is no such run
    """
    _fail_orphans(session, now, Run.simulation_id == simulation_id)
    row = session.execute(
        select(*SUMMARY_COLUMNS).where(Run.simulation_id == simulation_id, _watched())
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no simulation {simulation_id!r}")
    return _summary(row)


def read_result(session: Session, simulation_id: str, now: dt.datetime) -> str:
    """Return a run as JSON, with the very bytes of its result where it has one.

    Raises
    ------
    NotFound: there is no such run
    """
    head = read(session, simulation_id, now).model_dump_json()
    result = session.scalar(select(Run.result).where(Run.simulation_id == simulation_id))
    return head if result is None else f"{head[:-1]},{result[1:]}"


def result_of(
    session: Session, simulation_id: str, now: dt.datetime
) -> tuple[SimulationSummary, dict[str, Any]]:
    """Return a run that is done, and its result.

    Raises
    ------
    NotFound: there is no such run
    Conflict: it is not done
    """
    head = read(session, simulation_id, now)
    if head.state != "done":
        raise Conflict(f"simulation {simulation_id!r} is {head.state}: it has no result")
    result = session.scalars(select(Run.result).where(Run.simulation_id == simulation_id)).one()
    assert result is not None
    return head, json.loads(result)


def watch(session: Session, simulation_id: str, now: dt.datetime) -> tuple[SimulationSummary, Any]:
    """Return a run as it stands, and its standing while it is played, in scenarios that have one.

    Raises
    ------
    NotFound: there is no such run
    """
    head = read(session, simulation_id, now)
    standing = session.scalar(select(Run.standing).where(Run.simulation_id == simulation_id))
    return head, None if standing is None else json.loads(standing)


def list_simulations(
    session: Session, before: tuple[dt.datetime, str] | None, limit: int, now: dt.datetime
) -> list[SimulationSummary]:
    """Return up to ``limit`` runs, the newest first, those older than ``before``."""
    _fail_orphans(session, now)
    query = (
        select(*SUMMARY_COLUMNS).where(_watched()).order_by(Run.created_at.desc(), Run.simulation_id.desc())
    )
    if before is not None:
        query = query.where(tuple_(Run.created_at, Run.simulation_id) < before)
    return [_summary(row) for row in session.execute(query.limit(limit))]


def cancel(session: Session, simulation_id: str, now: dt.datetime) -> SimulationSummary:
    """Cancel a run; its record stays and says so. Cancelling twice changes nothing.

    Raises
    ------
    NotFound: there is no such run
    Conflict: it is over
    """
    session.execute(
        update(Run)
        .where(Run.simulation_id == simulation_id, Run.state.in_(UNFINISHED), _watched())
        .values(state="cancelled")
    )
    head = read(session, simulation_id, now)
    if head.state != "cancelled":
        raise Conflict(f"simulation {simulation_id!r} is {head.state}: there is nothing to cancel")
    return head


def finish(
    session: Session,
    simulation_id: str,
    state: State,
    done: int,
    total: int,
    result: str | None,
    fault: str | None,
) -> None:
    """Write the end of a run down, unless it was cancelled or given up before."""
    session.execute(
        update(Run)
        .where(Run.simulation_id == simulation_id, Run.state.in_(UNFINISHED))
        .values(state=state, done=done, total=total, standing=None, result=result, fault=fault)
    )


def record_heartbeats(
    session: Session, progress: Mapping[str, tuple[int, int, bool, str | None]], now: dt.datetime
) -> set[str]:
    """Write down how far runs are, (done, total, running, standing) by id; return which are still wanted."""
    wanted = set()
    for simulation_id, (done, total, running, standing) in sorted(progress.items()):
        found = session.scalar(
            update(Run)
            .where(Run.simulation_id == simulation_id, Run.state.in_(UNFINISHED))
            .values(
                done=done,
                total=total,
                state="running" if running else "queued",
                standing=standing,
                seen_at=now,
            )
            .returning(Run.simulation_id)
        )
        wanted |= {found} if found is not None else set()
    return wanted


def _watched() -> ColumnElement[bool]:
    """Tell which runs the caller sees: all, or those that keys with its limit, or one within it, asked for."""
    prefix = principal.current_principal.get().experiment_prefix
    return true() if prefix is None else Run.experiment_prefix.startswith(prefix, autoescape=True)


def _fail_orphans(session: Session, now: dt.datetime, *which: ColumnElement[bool]) -> None:
    """A run whose process shows no sign of life is failed: the service was stopped hard, or its machine died."""
    left_behind = Run.state.in_(UNFINISHED) & (Run.seen_at < now - ORPHANED_AFTER)
    left = select(Run.simulation_id).where(left_behind, *which)
    found = session.scalars(left).all()
    if found:
        session.execute(
            update(Run)
            .where(Run.simulation_id.in_(found), left_behind)
            .values(state="failed", fault="it was left behind by a service that ended")
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
