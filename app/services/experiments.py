"""Experiments: create, read, list, change, and register on the way."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid, NotFound
from app.schemas.experiments import Experiment, ExperimentIn, ExperimentPatch, Settings, State
from app.services import locks, variants
from app.services.timeline import Timeline, local_date, read_timelines
from app.storage import tables

DECIDING = frozenset(Settings.model_fields)


def create(session: Session, new: ExperimentIn, now: dt.datetime) -> Experiment:
    """Create an experiment with its settings and its first variants.

    Raises
    ------
    Conflict: there is already an experiment with this id
    """
    settings = Settings.model_validate(new.model_dump(include=set(DECIDING)))
    if not insert_experiment(session, new.experiment_id, settings, now, new.name, new.description):
        raise Conflict(f"there is already an experiment {new.experiment_id!r}; PATCH changes it")
    locks.lock(session, new.experiment_id)
    today = local_date(now, settings.time_zone)
    variants.register(session, new.experiment_id, new.variants, today)
    variants.check_floors_fit(session, new.experiment_id, settings, today)
    return read(session, new.experiment_id)


def insert_experiment(
    session: Session,
    experiment_id: str,
    settings: Settings,
    now: dt.datetime,
    name: str | None = None,
    description: str | None = None,
) -> bool:
    """Insert an experiment with its first phase and version; return False where it was there already."""
    inserted = session.scalar(
        insert(tables.Experiment)
        .values(experiment_id=experiment_id, name=name, description=description, created_at=now)
        .on_conflict_do_nothing()
        .returning(tables.Experiment.experiment_id)
    )
    if inserted is None:
        return False
    write_phase(session, experiment_id, local_date(now, settings.time_zone), "running", settings, now)
    session.add(tables.ExperimentVersion(experiment_id=experiment_id, version=1))
    session.flush()
    return True


def write_phase(
    session: Session,
    experiment_id: str,
    active_from: dt.date,
    state: State,
    settings: Settings,
    now: dt.datetime,
) -> None:
    """Let settings and a state apply from a date on; a second change on the same day replaces the first."""
    values = {"state": state, "settings": settings.model_dump(mode="json"), "changed_at": now}
    session.execute(
        insert(tables.ExperimentSettings)
        .values(experiment_id=experiment_id, active_from=active_from, **values)
        .on_conflict_do_update(index_elements=["experiment_id", "active_from"], set_=values)
    )


def read(session: Session, experiment_id: str) -> Experiment:
    """Return an experiment with its settings and variants as they stand.

    Raises
    ------
    NotFound: there is no such experiment
    """
    found = _assemble(session, [experiment_id])
    if not found:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    return found[0]


def read_locked(session: Session, experiment_id: str) -> Experiment:
    """Return an experiment that nobody changes until the transaction ends.

    Raises
    ------
    NotFound: there is no such experiment
    """
    locks.lock(session, experiment_id)
    return read(session, experiment_id)


def list_experiments(session: Session, after: str | None, limit: int) -> list[Experiment]:
    """Return up to ``limit`` experiments in the order of their ids, those behind ``after``."""
    query = select(tables.Experiment.experiment_id).order_by(tables.Experiment.experiment_id).limit(limit)
    if after is not None:
        query = query.where(tables.Experiment.experiment_id > after)
    return _assemble(session, session.scalars(query).all())


def _assemble(session: Session, experiment_ids: Sequence[str]) -> list[Experiment]:
    timelines = read_timelines(session, experiment_ids)
    members = variants.read_variants(session, experiment_ids)
    rows = session.scalars(
        select(tables.Experiment)
        .where(tables.Experiment.experiment_id.in_(experiment_ids))
        .order_by(tables.Experiment.experiment_id)
    )
    return [_as_seen(row, timelines[row.experiment_id], members.get(row.experiment_id, [])) for row in rows]


def _as_seen(row: tables.Experiment, timeline: Timeline, members: Sequence[Any]) -> Experiment:
    return Experiment(
        experiment_id=row.experiment_id,
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        state=timeline.latest.state,
        state_since=timeline.state_since(),
        variants=list(members),
        **dict(timeline.latest.settings),
    )


def change(session: Session, experiment_id: str, patch: ExperimentPatch, now: dt.datetime) -> Experiment:
    """Change an experiment; settings and state apply from today on and rewrite no earlier date.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the settings that would result have no meaning
    """
    locks.lock(session, experiment_id)
    timeline = read_timelines(session, [experiment_id])[experiment_id]
    changes = patch.model_dump(exclude_unset=True)
    settings = merged(timeline.latest.settings, {k: v for k, v in changes.items() if k in DECIDING})
    state: State = changes.get("state", timeline.latest.state) or "running"
    if (settings, state) != (timeline.latest.settings, timeline.latest.state):
        today = max(local_date(now, settings.time_zone), timeline.latest.active_from)
        variants.check_floors_fit(session, experiment_id, settings, today)
        write_phase(session, experiment_id, today, state, settings, now)
        locks.bump(session, experiment_id)
    row = session.get_one(tables.Experiment, experiment_id)
    for name in ("name", "description"):
        if name in changes:
            setattr(row, name, changes[name])
    session.flush()
    return read(session, experiment_id)


def merged(settings: Settings, patch: dict[str, Any]) -> Settings:
    """Return the settings after a JSON merge-patch (RFC 7396): null means the default.

    Raises
    ------
    Invalid: naming each field that does not fit
    """
    try:
        return Settings.model_validate(merge_patch(settings.model_dump(mode="json"), patch))
    except ValidationError as error:
        faults = [
            FieldError(".".join(("body", *map(str, fault["loc"]))), fault["msg"])
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise Invalid("the settings that would result are not valid", faults) from error
    except RecursionError:
        raise Invalid(
            "the settings are nested too deeply", [FieldError("body", "Nested too deeply")]
        ) from None


def merge_patch(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return ``target`` with ``patch`` laid over it as RFC 7396 says: null removes."""
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            before = result.get(name)
            result[name] = merge_patch(before if isinstance(before, dict) else {}, value)
        else:
            result[name] = value
    return result


def open_for_writing(session: Session, experiment_id: str, now: dt.datetime, auto_register: bool) -> Timeline:
    """Lock an experiment that totals are written to, registering it first where that is allowed.

    Safe to race: PostgreSQL lets one of several registrations win, the others find it done.

    Raises
    ------
    NotFound: it does not exist and may not be registered on the way
    """
    if locks.lock_if_there(session, experiment_id) is None:
        if not auto_register:
            raise NotFound(f"there is no experiment {experiment_id!r}; create it with POST /experiments")
        insert_experiment(session, experiment_id, Settings(), now)
        locks.lock(session, experiment_id)
    return read_timelines(session, [experiment_id])[experiment_id]
