"""Delete an experiment with everything stored of it; its audit entries and Idempotency-Keys stay.

Two transactions: the first archives it, so that no unit is assigned any more while the second deletes its rows.
Why versions outlive an experiment, and the order of the locks: docs/decisions/0023.
"""

import datetime as dt
import time

from psycopg.errors import LockNotAvailable
from sqlalchemy import Table, delete, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.errors import FieldError, Invalid, NotFound, Unavailable
from app.schemas.experiments.deletion import Deletion
from app.schemas.experiments.experiments import ExperimentPatch
from app.services.access import audit_log
from app.services.experiments import lifecycle, version_lock
from app.storage import tables
from app.storage.database import lift_statement_timeout

TABLES: list[Table] = [
    table
    for table in reversed(tables.Base.metadata.sorted_tables)
    if "experiment_id" in table.primary_key.columns and table.name != tables.DeletedExperiment.__tablename__
]
"""The tables of an experiment's rows: each before those that it refers to."""
COUNTED: dict[str, str] = {
    "variants": tables.Variant.__tablename__,
    "daily_metrics": tables.DailyMetrics.__tablename__,
    "allocations": tables.RecordedAllocation.__tablename__,
    "assignments": tables.Assignment.__tablename__,
    "events": tables.Event.__tablename__,
}
"""The tables whose numbers of rows are reported, by their fields."""

STORE_VERSIONS = text("""
    insert into deleted_experiments (experiment_id, version, settings_version, deleted_at)
    select experiment_id, version, settings_version, :now from experiment_versions
    where experiment_id = :experiment_id
    on conflict (experiment_id) do update set version = excluded.version,
        settings_version = excluded.settings_version, deleted_at = excluded.deleted_at
""")
LOCK_COUNTS = text("""
    select 1 from assignment_counts where experiment_id = :experiment_id
    order by experiment_id, assigned_on, split, variant_id for update
""")
LOCK_NEW_COUNTS = text(
    "select 1 from assignment_counts where experiment_id = :experiment_id for update nowait"
)
LOCK_EXPERIMENT = text("select 1 from experiments where experiment_id = :experiment_id for update")
LOCK_VARIANTS = text("select 1 from variants where experiment_id = :experiment_id for update nowait")
MAX_ATTEMPTS = 100
RETRY_SECONDS = 0.02
"""Between two attempts to lock the variants: a statement that stores assignments takes a few milliseconds."""


def preview(session: Session, experiment_id: str) -> Deletion:
    """Return what a deletion would delete.

    Raises
    ------
    NotFound: there is no such experiment
    """
    if session.get(tables.Experiment, experiment_id) is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    named = {table.name: table for table in TABLES}
    counts = {
        field: session.scalar(
            select(func.count()).select_from(named[name]).where(named[name].c.experiment_id == experiment_id)
        )
        for field, name in COUNTED.items()
    }
    return Deletion.model_validate({"experiment_id": experiment_id, **counts})


def archive(session: Session, experiment_id: str, confirm: str | None, now: dt.datetime) -> None:
    """Archive a running or paused experiment that is about to be deleted, in a transaction of its own.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: ``confirm`` is not its id; the message says what would be deleted, and how to confirm it
    """
    if confirm != experiment_id:
        raise _unconfirmed(preview(session, experiment_id))
    version_lock.lock(session, experiment_id)
    archived = lifecycle.read(session, experiment_id).state == "archived"
    if not archived:
        lifecycle.change(session, experiment_id, ExperimentPatch(state="archived"), now)
    audit_log.discard()  # the entry of the deletion itself is written with it
    if not archived:
        audit_log.record(session, "change_experiment", now, [experiment_id])


def _unconfirmed(deletion: Deletion) -> Invalid:
    experiment_id = deletion.experiment_id
    error = FieldError("query.confirm", f"Input should be the experiment's id, {experiment_id}")
    return Invalid(
        f"this deletes the experiment {experiment_id!r} permanently, with its {deletion.summary()}. Nothing was"
        f" deleted. GET /experiments/{experiment_id}/export returns all of it as a file;"
        f" DELETE /experiments/{experiment_id}?confirm={experiment_id} deletes it",
        [error],
    )


def delete_experiment(session: Session, experiment_id: str, now: dt.datetime) -> Deletion:
    """Delete all rows of an experiment and return how many there were; its last versions are stored.

    Safe to race: writers of the experiment wait and then find that it does not exist.

    Raises
    ------
    NotFound: there is no such experiment
    Unavailable: its units are being assigned all the time
    """
    version_lock.lock(session, experiment_id)
    of_experiment = {"experiment_id": experiment_id}
    lift_statement_timeout(session)
    _lock_against_assignments(session, experiment_id)
    session.execute(STORE_VERSIONS, {**of_experiment, "now": now})
    counts = {}
    for table in TABLES:
        deleted = session.connection().execute(delete(table).where(table.c.experiment_id == experiment_id))
        counts[table.name] = deleted.rowcount
    return Deletion.model_validate(of_experiment | {field: counts[name] for field, name in COUNTED.items()})


def _lock_against_assignments(session: Session, experiment_id: str) -> None:
    """Wait for statements that store assignments or splits, which hold no version lock, and block new ones.

    Such a statement changes the counts, then locks the rows that its foreign keys refer to, variants in any order:
    waiting for one variant while holding another could be a deadlock, so all are locked at once or none, with
    the counts that came while the others were waited for: a statement may hold one and wait for a variant.
    """
    of_experiment = {"experiment_id": experiment_id}
    for _ in range(MAX_ATTEMPTS):
        try:
            with session.begin_nested():  # what is locked is let go again where one is held
                session.execute(LOCK_COUNTS, of_experiment)
                session.execute(LOCK_EXPERIMENT, of_experiment)
                session.execute(LOCK_VARIANTS, of_experiment)
                session.execute(LOCK_NEW_COUNTS, of_experiment)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return
    raise Unavailable(f"units of experiment {experiment_id!r} are being assigned; try again shortly")
