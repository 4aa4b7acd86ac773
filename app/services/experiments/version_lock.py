"""An experiment's version row: the one lock of its writers, and the counter readers compare."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.services.access import audit_log, principal
from app.storage.pipeline import Statement, run_pipelined
from app.storage.tables import ExperimentVersion

START = text("""
    insert into experiment_versions (experiment_id, version, settings_version)
    select :experiment_id, coalesce(max(version), 0) + 1, coalesce(max(settings_version), 0) + 1
    from deleted_experiments where experiment_id = :experiment_id
""")
RAISE = text("""
    update experiment_versions as current
    set version = greatest(current.version, deleted.version + 1),
        settings_version = greatest(current.settings_version, deleted.settings_version + 1)
    from deleted_experiments as deleted
    where current.experiment_id = :experiment_id and deleted.experiment_id = :experiment_id
""")
LOCK_SEVERAL = """
    select experiment_id, version, settings_version from experiment_versions
    where experiment_id = any(%(experiment_ids)s) order by experiment_id for update
"""
LOCK = "select version from experiment_versions where experiment_id = %(experiment_id)s for update"


def lock(session: Session, experiment_id: str) -> int:
    """Wait until no other transaction writes this experiment and return its version.

    Who locks several does so in the order of their ids: no two writers can then wait for each other.

    Raises
    ------
    NotFound: there is no such experiment
    Forbidden: the API key is limited to other experiments
    """
    version = try_lock(session, experiment_id)
    if version is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    return version


def lock_and_read(
    session: Session, experiment_id: str, statement: Statement
) -> tuple[int, list[tuple[Any, ...]]]:
    """Lock like ``lock``, and return also the rows of a statement, read as soon as the lock is held.

    Raises
    ------
    NotFound: there is no such experiment
    Forbidden: the API key is limited to other experiments
    """
    _authorize_and_audit(experiment_id)
    locked, rows = run_pipelined(session, (LOCK, {"experiment_id": experiment_id}), statement)
    if not locked:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    return locked[0][0], rows


def try_lock(session: Session, experiment_id: str) -> int | None:
    """Lock like ``lock``, but return None where there is no such experiment.

    Every writer comes by here: this is where a key's limit holds, and what the audit says was changed.

    Raises
    ------
    Forbidden: the API key is limited to other experiments
    """
    _authorize_and_audit(experiment_id)
    version: int | None = (
        session.connection().exec_driver_sql(LOCK, {"experiment_id": experiment_id}).scalar()
    )
    return version


def lock_several(experiment_ids: Sequence[str], wait: bool = True) -> Statement:
    """Return the statement that locks experiments in the order of their ids; its rows are ids and both versions.

    Those that do not exist are missing in its rows; without ``wait`` those that another transaction holds, too.

    Raises
    ------
    Forbidden: the API key is limited to other experiments
    """
    for experiment_id in experiment_ids:
        _authorize_and_audit(experiment_id)
    return LOCK_SEVERAL if wait else f"{LOCK_SEVERAL} skip locked", {"experiment_ids": list(experiment_ids)}


def held_by_others(session: Session, experiment_ids: Collection[str]) -> set[str]:
    """Return which experiments exist, of those that could not be locked."""
    if not experiment_ids:
        return set()
    statement = select(ExperimentVersion.experiment_id).where(
        ExperimentVersion.experiment_id.in_(experiment_ids)
    )
    return set(session.scalars(statement))


def start(session: Session, experiment_id: str) -> None:
    """Insert the version row of a new experiment: 1, or above the versions of a deleted one with the same id.

    Caches compare versions: what belongs to the deleted experiment can then never pass as the new one's.
    """
    session.execute(START, {"experiment_id": experiment_id})


def raise_above_deleted(session: Session, experiment_id: str) -> None:
    """Raise the versions of an imported experiment above those of a deleted one with the same id."""
    session.execute(RAISE, {"experiment_id": experiment_id})


def _authorize_and_audit(experiment_id: str) -> None:
    principal.require_access(experiment_id)
    audit_log.add_subject(experiment_id)


def increment_version(session: Session, experiment_id: str) -> None:
    """Count a change of totals, so that nobody serves an answer computed before it."""
    session.execute(
        update(ExperimentVersion)
        .where(ExperimentVersion.experiment_id == experiment_id)
        .values(version=ExperimentVersion.version + 1)
    )


def increment_settings_version(session: Session, experiment_id: str) -> None:
    """Count a change of settings or variants, so that nobody assigns units by those before it either."""
    session.execute(
        update(ExperimentVersion)
        .where(ExperimentVersion.experiment_id == experiment_id)
        .values(
            version=ExperimentVersion.version + 1,
            settings_version=ExperimentVersion.settings_version + 1,
        )
    )
