"""Experiments: create, read, list, change, and register implicitly."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from app.schemas.experiments.settings import BY_VALUE, ExperimentSettings, StoredSettings
from app.schemas.validation import field_errors
from app.services.access import principal
from app.services.experiments import (
    cadence_changes,
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
    source: Source | None = "tracked" if settings.cadence == "hour" else new.source
    if not insert_experiment(
        session, new.experiment_id, settings, now, new.name, new.description, source, new.flag
    ):
        raise Conflict(f"there is already an experiment {new.experiment_id!r}; PATCH changes it")
    version_lock.lock(session, new.experiment_id)
    today = local_date(now, settings.time_zone)
    variants.register(session, new.experiment_id, new.variants, today)
    stored = _read_stored(session, new.experiment_id)
    share_constraints.validate(settings, stored.variants, today)
    return stored.to_schema()


def insert_experiment(
    session: Session,
    experiment_id: str,
    settings: StoredSettings,
    now: dt.datetime,
    name: str | None = None,
    description: str | None = None,
    source: Source | None = None,
    flag: bool | None = None,
) -> bool:
    """Insert an experiment with its first phase and version; return False where it was there already.

    Raises
    ------
    Forbidden: the API key is limited to other experiments
    """
    principal.require_access(experiment_id)
    inserted = session.scalar(
        insert(tables.Experiment)
        .values(
            experiment_id=experiment_id,
            name=name,
            description=description,
            source=source,
            flag=flag,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(tables.Experiment.experiment_id)
    )
    if inserted is None:
        return False
    settings_changes.write_period(
        session, experiment_id, local_date(now, settings.time_zone), "running", settings, now
    )
    version_lock.start(session, experiment_id)
    return True


def read(session: Session, experiment_id: str) -> Experiment:
    """Return an experiment with its settings and variants as they stand.

    Raises
    ------
    NotFound: there is no such experiment
    """
    return _read_stored(session, experiment_id).to_schema()


def list_experiments(session: Session, after: str | None, limit: int) -> list[Experiment]:
    """Return up to ``limit`` experiments that the caller may see, in the order of their ids, behind ``after``."""
    query = select(tables.Experiment.experiment_id).order_by(tables.Experiment.experiment_id).limit(limit)
    prefix = principal.current_principal.get().experiment_prefix
    if prefix is not None:
        query = query.where(tables.Experiment.experiment_id.startswith(prefix, autoescape=True))
    if after is not None:
        query = query.where(tables.Experiment.experiment_id > after)
    return [stored.to_schema() for stored in _read_all_stored(session, session.scalars(query).all())]


@dataclass(frozen=True, slots=True)
class _StoredExperiment:
    """All that is stored of an experiment but its totals and units."""

    row: tables.Experiment
    history: SettingsHistory
    variants: Sequence[Variant]

    def to_schema(self) -> Experiment:
        """Return the experiment as the API shows it, with the settings in force."""
        row, latest = self.row, self.history.latest
        costs = latest.settings.cost_per_impression
        return Experiment(
            experiment_id=row.experiment_id,
            name=row.name,
            description=row.description,
            created_at=row.created_at,
            source=row.source,
            flag=row.flag,
            is_flag=row.source == "tracked" if row.flag is None else row.flag,
            state=latest.state,
            state_since=self.history.in_state_since(),
            variants=[_with_cost(variant, costs) for variant in self.variants],
            **{name: getattr(latest.settings, name) for name in SETTINGS_FIELDS},
            rollout=latest.settings.rollout,
            control=variant_queries.control_of(self.variants),
        )


def _read_all_stored(session: Session, experiment_ids: Sequence[str]) -> list[_StoredExperiment]:
    histories = read_histories(session, experiment_ids)
    found = variant_queries.list_variants(session, experiment_ids)
    rows = session.scalars(
        select(tables.Experiment)
        .where(tables.Experiment.experiment_id.in_(experiment_ids))
        .order_by(tables.Experiment.experiment_id)
    )
    return [
        _StoredExperiment(row, histories[row.experiment_id], found.get(row.experiment_id, []))
        for row in rows
        if row.experiment_id in histories  # else it is being created at this moment
    ]


def _read_stored(session: Session, experiment_id: str) -> _StoredExperiment:
    stored = _read_all_stored(session, [experiment_id])
    if not stored:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    return stored[0]


def _with_cost(variant: Variant, costs: Mapping[str, float]) -> Variant:
    return variant.model_copy(update={"cost_per_impression": costs.get(variant.variant_id)})


def change(
    session: Session,
    experiment_id: str,
    patch: ExperimentPatch,
    now: dt.datetime,
    precondition: Callable[[Experiment], None] | None = None,
) -> Experiment:
    """Change an experiment; settings and state apply from today on and rewrite no earlier date.

    Parameters
    ----------
    precondition : raises if the experiment, as it is before the change, is not the one the client knows

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the settings that would result have no meaning
    """
    version_lock.lock(session, experiment_id)
    stored = _read_stored(session, experiment_id)
    if precondition is not None:
        precondition(stored.to_schema())
    sent = patch.model_dump(exclude_unset=True)
    latest = stored.history.latest
    settings = apply_merge_patch(latest.settings, {k: v for k, v in sent.items() if k in SETTINGS_FIELDS})
    if settings.cadence == "hour":
        cadence_changes.check(session, stored.row, latest.settings, sent)
        stored.row.source = "tracked"
    state: State = sent.get("state", latest.state) or "running"
    changed = _apply_from_today(session, stored, state, settings, now)
    for name in ("name", "description", "flag"):
        if name in sent:
            setattr(stored.row, name, sent[name])
    session.flush()
    return changed.to_schema()


def roll_out(session: Session, experiment_id: str, variant_id: str, now: dt.datetime) -> Experiment:
    """Give one variant all traffic from today on; repeating it changes nothing.

    Raises
    ------
    NotFound: there is no such experiment or variant
    Conflict: the variant is not active, or the experiment is paused or archived
    """
    version_lock.lock(session, experiment_id)
    stored = _read_stored(session, experiment_id)
    variant = variant_queries.find_variant(stored.variants, experiment_id, variant_id)
    today, state = stored.history.today(now), stored.history.latest.state
    if state != "running":
        raise Conflict(f"experiment {experiment_id!r} is {state}; resume it before a rollout")
    if variant.active_from > today or variant.retired_on is not None:
        raise Conflict(f"variant {variant_id!r} is not active from today on; it cannot be given everything")
    return _set_rollout(session, stored, variant_id, now)


def undo_rollout(session: Session, experiment_id: str, now: dt.datetime) -> Experiment:
    """Let the policy decide again from today on; where nothing was rolled out, nothing changes.

    Raises
    ------
    NotFound: there is no such experiment
    """
    version_lock.lock(session, experiment_id)
    return _set_rollout(session, _read_stored(session, experiment_id), None, now)


def _set_rollout(
    session: Session, stored: _StoredExperiment, variant_id: str | None, now: dt.datetime
) -> Experiment:
    latest = stored.history.latest
    settings = latest.settings.model_copy(update={"rollout": variant_id})
    return _apply_from_today(session, stored, latest.state, settings, now).to_schema()


def _apply_from_today(
    session: Session, stored: _StoredExperiment, state: State, settings: StoredSettings, now: dt.datetime
) -> _StoredExperiment:
    history = settings_changes.apply_from_today(
        session, stored.row.experiment_id, stored.history, stored.variants, state, settings, now
    )
    return replace(stored, history=history)


def apply_merge_patch(settings: StoredSettings, patch: dict[str, Any]) -> StoredSettings:
    """Return the settings after a JSON merge-patch (RFC 7396): null means the default.

    A policy or a delay of another kind starts from its own defaults. What depends on the objective follows it: the
    policy becomes the one of its kind for the new objective, and without the value objective there is no currency.

    Raises
    ------
    Invalid: naming each field that does not fit
    """
    before = settings.model_dump(mode="json")
    policy = patch.get("policy")
    if isinstance(policy, dict) and policy.get("kind", settings.policy.kind) != settings.policy.kind:
        before["policy"] = {}
    delay = patch.get("delay")
    if isinstance(delay, dict) and delay.get("kind", settings.delay.kind) != settings.delay.kind:
        before["delay"] = {}
    if (patch.get("cadence", settings.cadence) or "day") != settings.cadence:
        cadence_changes.follow_the_cadence(before)
    if (patch.get("objective", settings.objective) or "conversion") != settings.objective:
        _follow_the_objective(before, patch)
    try:
        return StoredSettings.model_validate(merge_patch(before, patch))
    except ValidationError as error:
        raise Invalid("the settings that would result are not valid", field_errors(error, "body")) from error
    except RecursionError:
        too_deep = FieldError("body", "Input is nested too deeply")
        raise Invalid("the settings are nested too deeply", [too_deep]) from None


def _follow_the_objective(before: dict[str, Any], patch: dict[str, Any]) -> None:
    """Change the settings in force that the other objective gives another meaning, unless they are sent, too."""
    by_value = before["objective"] == "conversion"
    if not by_value:
        before["currency"] = None
    kinds = BY_VALUE if by_value else {kind: name for name, kind in BY_VALUE.items()}
    if "policy" not in patch:
        before["policy"]["kind"] = kinds.get(before["policy"]["kind"], before["policy"]["kind"])
    stop = before["stop"]
    if "stop" not in patch and stop["rule"] is None and stop["threshold"] is not None:
        error = FieldError(
            "body.stop.threshold",
            "it was chosen for another default rule: send stop with a rule and a threshold",
        )
        raise Invalid("stop.threshold has another meaning under the new objective", [error])


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


def lock_or_register(session: Session, experiment_id: str, now: dt.datetime, auto_register: bool) -> bool:
    """Lock an experiment that totals are written to, registering it first where that is allowed; return if it was.

    Safe to race: PostgreSQL lets one of several registrations win, the others find it done.

    Raises
    ------
    NotFound: it does not exist and may not be registered implicitly
    """
    if version_lock.try_lock(session, experiment_id) is not None:
        return False
    if not auto_register:
        raise NotFound(f"there is no experiment {experiment_id!r}; create it with POST /experiments")
    registered = insert_experiment(session, experiment_id, StoredSettings(), now)
    version_lock.lock(session, experiment_id)
    return registered


def claim_source(session: Session, experiment_ids: Iterable[str], source: Source) -> None:
    """Let totals of some experiments come from one source from now on; the caller holds their locks.

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
