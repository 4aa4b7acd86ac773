"""Experiments: create, read, list, change, and register on the way."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid, NotFound
from app.schemas.experiments.experiments import (
    Experiment,
    ExperimentIn,
    ExperimentPatch,
    Source,
    State,
    Variant,
)
from app.schemas.experiments.settings import ExperimentSettings, StoredSettings
from app.schemas.validation import field_errors
from app.services.access import principal
from app.services.experiments import (
    settings_changes,
    share_constraints,
    variant_queries,
    variants,
    version_lock,
)
from app.services.experiments.settings_history import SettingsHistory, local_date, read_histories
from app.storage import tables

SETTINGS_FIELDS = frozenset(ExperimentSettings.model_fields)
SOURCE_HINTS = {
    "reported": "they come with POST /metrics, and POST /events takes none",
    "tracked": "they come with POST /events, and POST /metrics takes none",
}


def create(session: Session, new: ExperimentIn, now: dt.datetime) -> Experiment:
    """Create an experiment with its settings and its first variants.

    Raises
    ------
    Conflict: there is already an experiment with this id
    """
    costs = {v.variant_id: v.cost_per_impression for v in new.variants if v.cost_per_impression is not None}
    settings = StoredSettings(
        **{name: getattr(new, name) for name in SETTINGS_FIELDS}, cost_per_impression=costs
    )
    if not insert_experiment(
        session, new.experiment_id, settings, now, new.name, new.description, new.source
    ):
        raise Conflict(f"there is already an experiment {new.experiment_id!r}; PATCH changes it")
    version_lock.lock(session, new.experiment_id)
    today = local_date(now, settings.time_zone)
    variants.register(session, new.experiment_id, new.variants, today)
    share_constraints.validate(session, new.experiment_id, settings, today)
    return read(session, new.experiment_id)


def insert_experiment(
    session: Session,
    experiment_id: str,
    settings: StoredSettings,
    now: dt.datetime,
    name: str | None = None,
    description: str | None = None,
    source: Source | None = None,
) -> bool:
    """Insert an experiment with its first phase and version; return False where it was there already.

    Raises
    ------
    Forbidden: the caller's key is limited to other experiments
    """
    principal.require_access(experiment_id)
    inserted = session.scalar(
        insert(tables.Experiment)
        .values(
            experiment_id=experiment_id, name=name, description=description, source=source, created_at=now
        )
        .on_conflict_do_nothing()
        .returning(tables.Experiment.experiment_id)
    )
    if inserted is None:
        return False
    settings_changes.write_period(
        session, experiment_id, local_date(now, settings.time_zone), "running", settings, now
    )
    session.add(tables.ExperimentVersion(experiment_id=experiment_id, version=1))
    session.flush()
    return True


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
    version_lock.lock(session, experiment_id)
    return read(session, experiment_id)


def list_experiments(session: Session, after: str | None, limit: int) -> list[Experiment]:
    """Return up to ``limit`` experiments that the caller may see, in the order of their ids, behind ``after``."""
    query = select(tables.Experiment.experiment_id).order_by(tables.Experiment.experiment_id).limit(limit)
    prefix = principal.current_principal.get().experiment_prefix
    if prefix is not None:
        query = query.where(tables.Experiment.experiment_id.startswith(prefix, autoescape=True))
    if after is not None:
        query = query.where(tables.Experiment.experiment_id > after)
    return _assemble(session, session.scalars(query).all())


def _assemble(session: Session, experiment_ids: Sequence[str]) -> list[Experiment]:
    timelines = read_histories(session, experiment_ids)
    found = variant_queries.list_variants(session, experiment_ids)
    rows = session.scalars(
        select(tables.Experiment)
        .where(tables.Experiment.experiment_id.in_(experiment_ids))
        .order_by(tables.Experiment.experiment_id)
    )
    return [to_schema(row, timelines[row.experiment_id], found.get(row.experiment_id, [])) for row in rows]


def to_schema(row: tables.Experiment, timeline: SettingsHistory, variants: Sequence[Variant]) -> Experiment:
    """Return an experiment as the API shows it, with the settings in force."""
    costs = timeline.latest.settings.cost_per_impression
    return Experiment(
        experiment_id=row.experiment_id,
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        source=row.source,
        state=timeline.latest.state,
        state_since=timeline.in_state_since(),
        variants=[_with_cost(variant, costs) for variant in variants],
        **{name: getattr(timeline.latest.settings, name) for name in SETTINGS_FIELDS},
        rollout=timeline.latest.settings.rollout,
        control=control_of(variants),
    )


def control_of(variants: Sequence[Variant]) -> str | None:
    """Return the control: the variant with is_control, else the one named "control", else the first registered."""
    if not variants:
        return None
    return min(variants, key=lambda v: (not v.is_control, v.variant_id != "control")).variant_id


def _with_cost(variant: Variant, costs: Mapping[str, float]) -> Variant:
    return variant.model_copy(update={"cost_per_impression": costs.get(variant.variant_id)})


def change(session: Session, experiment_id: str, patch: ExperimentPatch, now: dt.datetime) -> Experiment:
    """Change an experiment; settings and state apply from today on and rewrite no earlier date.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the settings that would result have no meaning
    """
    version_lock.lock(session, experiment_id)
    timeline = read_histories(session, [experiment_id])[experiment_id]
    sent = patch.model_dump(exclude_unset=True)
    settings = apply_merge_patch(
        timeline.latest.settings, {k: v for k, v in sent.items() if k in SETTINGS_FIELDS}
    )
    state: State = sent.get("state", timeline.latest.state) or "running"
    settings_changes.apply_from_today(session, experiment_id, timeline, state, settings, now)
    row = session.get_one(tables.Experiment, experiment_id)
    for name in ("name", "description"):
        if name in sent:
            setattr(row, name, sent[name])
    session.flush()
    return read(session, experiment_id)


def roll_out(session: Session, experiment_id: str, variant_id: str, now: dt.datetime) -> Experiment:
    """Give one variant everything from today on; repeating it changes nothing.

    Raises
    ------
    NotFound: there is no such experiment or variant
    Conflict: the variant is not active, or the experiment is paused or archived
    """
    version_lock.lock(session, experiment_id)
    timeline = read_histories(session, [experiment_id])[experiment_id]
    variant = variant_queries.read_variant(session, experiment_id, variant_id)
    today = timeline.today(now)
    if timeline.latest.state != "running":
        raise Conflict(f"experiment {experiment_id!r} is {timeline.latest.state}; resume it before a rollout")
    if variant.active_from > today or variant.retired_on is not None:
        raise Conflict(f"variant {variant_id!r} is not active from today on; it cannot be given everything")
    return _set_rollout(session, experiment_id, timeline, variant_id, now)


def undo_rollout(session: Session, experiment_id: str, now: dt.datetime) -> Experiment:
    """Let the policy decide again from today on; where nothing was rolled out, nothing changes.

    Raises
    ------
    NotFound: there is no such experiment
    """
    version_lock.lock(session, experiment_id)
    timeline = read_histories(session, [experiment_id])[experiment_id]
    return _set_rollout(session, experiment_id, timeline, None, now)


def _set_rollout(
    session: Session, experiment_id: str, timeline: SettingsHistory, variant_id: str | None, now: dt.datetime
) -> Experiment:
    settings = timeline.latest.settings.model_copy(update={"rollout": variant_id})
    settings_changes.apply_from_today(session, experiment_id, timeline, timeline.latest.state, settings, now)
    return read(session, experiment_id)


def apply_merge_patch(settings: StoredSettings, patch: dict[str, Any]) -> StoredSettings:
    """Return the settings after a JSON merge-patch (RFC 7396): null means the default.

    A policy of another kind starts from its own defaults.

    Raises
    ------
    Invalid: naming each field that does not fit
    """
    before = settings.model_dump(mode="json")
    policy = patch.get("policy")
    if isinstance(policy, dict) and policy.get("kind", settings.policy.kind) != settings.policy.kind:
        before["policy"] = {}
    try:
        return StoredSettings.model_validate(merge_patch(before, patch))
    except ValidationError as error:
        raise Invalid("the settings that would result are not valid", field_errors(error, "body")) from error
    except RecursionError:
        fault = FieldError("body", "Input is nested too deeply")
        raise Invalid("the settings are nested too deeply", [fault]) from None


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


def lock_or_register(session: Session, experiment_id: str, now: dt.datetime, auto_register: bool) -> None:
    """Lock an experiment that totals are written to, registering it first where that is allowed.

    Safe to race: PostgreSQL lets one of several registrations win, the others find it done.

    Raises
    ------
    NotFound: it does not exist and may not be registered on the way
    """
    if version_lock.try_lock(session, experiment_id) is None:
        if not auto_register:
            raise NotFound(f"there is no experiment {experiment_id!r}; create it with POST /experiments")
        insert_experiment(session, experiment_id, StoredSettings(), now)
        version_lock.lock(session, experiment_id)


def claim_source(session: Session, experiment_ids: Iterable[str], source: Source) -> None:
    """Let totals of some experiments come from one source for ever; the caller holds their locks.

    Raises
    ------
    Conflict: the totals of one of them come from the other source
    """
    experiment = tables.Experiment
    found = session.execute(
        select(experiment.experiment_id, experiment.source).where(
            experiment.experiment_id.in_(list(experiment_ids))
        )
    ).all()
    other = next((row for row in found if row.source not in (None, source)), None)
    if other is not None:
        raise Conflict(
            f"the totals of experiment {other.experiment_id!r} are {other.source}: {SOURCE_HINTS[other.source]}"
        )
    new = [row.experiment_id for row in found if row.source is None]
    if new:
        session.execute(update(experiment).where(experiment.experiment_id.in_(new)).values(source=source))
