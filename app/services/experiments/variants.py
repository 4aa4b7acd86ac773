"""The variants of an experiment: register, add, change, retire, delete."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid
from app.schemas.experiments.experiments import MAX_VARIANTS, Variant, VariantIn, VariantPatch
from app.services.experiments import settings_changes, share_constraints, version_lock
from app.services.experiments.settings_history import SettingsHistory, read_settings_history
from app.services.experiments.variant_queries import find_variant, read_variant, variants_of
from app.storage import tables


def register(session: Session, experiment_id: str, new: Sequence[VariantIn], today: dt.date) -> None:
    """Add variants behind those already there; the caller holds the experiment's lock."""
    last = session.scalar(
        select(func.max(tables.Variant.position)).where(tables.Variant.experiment_id == experiment_id)
    )
    for position, variant in enumerate(new, start=0 if last is None else last + 1):
        session.add(
            tables.Variant(
                experiment_id=experiment_id,
                position=position,
                registered_on=today,
                retired_on=None,
                value=None if variant.value is None else json.dumps(variant.value),
                **variant.model_dump(exclude={"cost_per_impression", "value"}),
            )
        )
        session.flush()


def check_room(session: Session, experiment_id: str, new: int) -> None:
    """Reject more variants than one experiment may have.

    Raises
    ------
    Invalid: saying how many there are and may be
    """
    there = session.scalar(
        select(func.count()).select_from(tables.Variant).where(tables.Variant.experiment_id == experiment_id)
    )
    if (there or 0) + new > MAX_VARIANTS:
        raise Invalid(
            f"experiment {experiment_id!r} has {there} variants; {new} more would be over {MAX_VARIANTS}"
        )


def add_variant(session: Session, experiment_id: str, variant: VariantIn, now: dt.datetime) -> Variant:
    """Add a variant to a running experiment; it joins the split from today on, in burn-in.

    Raises
    ------
    NotFound: there is no such experiment
    Conflict: the experiment already has a variant with this id
    """
    version_lock.lock(session, experiment_id)
    history = read_settings_history(session, experiment_id)
    today = history.today(now)
    if variant.active_from is not None and variant.active_from < today:
        error = FieldError("body.active_from", f"Input should be {today} (today) or later")
        raise Invalid("a variant joins today or later: no earlier answer is rewritten", [error])
    check_room(session, experiment_id, 1)
    if variant.is_control:
        _clear_control(session, experiment_id)
    register(session, experiment_id, [variant], today)
    known = variants_of(session, experiment_id)
    share_constraints.validate(history.latest.settings, known, today)
    if variant.cost_per_impression is not None:
        _set_cost(
            session, experiment_id, variant.variant_id, variant.cost_per_impression, history, known, now
        )
    version_lock.increment_settings_version(session, experiment_id)
    return find_variant(known, experiment_id, variant.variant_id)


def change_variant(
    session: Session, experiment_id: str, variant_id: str, patch: VariantPatch, now: dt.datetime
) -> Variant:
    """Change a variant's words, make it the control, or retire it from a day on (today or later).

    Raises
    ------
    NotFound: there is no such experiment or variant
    Invalid: a retirement in the past, which would rewrite what was answered, or shares that fit nobody after it
    Conflict: a retirement that is past
    """
    version_lock.lock(session, experiment_id)
    known = variants_of(session, experiment_id)
    before = find_variant(known, experiment_id, variant_id)
    history = read_settings_history(session, experiment_id)
    fields = patch.model_dump(exclude_unset=True)
    if "cost_per_impression" in fields:
        cost = fields.pop("cost_per_impression")
        _set_cost(session, experiment_id, variant_id, cost, history, known, now)
    if "is_control" in fields:
        fields["is_control"] = bool(fields["is_control"])
        _clear_control(session, experiment_id)
    if fields.get("value") is not None:
        fields["value"] = json.dumps(fields["value"])
    if "retired_on" in fields:
        _check_retirement(before, patch.retired_on, history.today(now))
        if patch.retired_on is not None:
            _check_not_rolled_out(history, variant_id)
    if fields:
        _update(session, experiment_id, variant_id, fields)
        version_lock.increment_settings_version(session, experiment_id)
        known = variants_of(session, experiment_id)
    if "retired_on" in fields:
        share_constraints.validate(history.latest.settings, known, history.today(now))
    return find_variant(known, experiment_id, variant_id)


def _update(session: Session, experiment_id: str, variant_id: str, fields: dict[str, Any]) -> None:
    session.execute(
        update(tables.Variant)
        .where(tables.Variant.experiment_id == experiment_id, tables.Variant.variant_id == variant_id)
        .values(fields)
    )


def _set_cost(
    session: Session,
    experiment_id: str,
    variant_id: str,
    cost: float | None,
    history: SettingsHistory,
    known: Sequence[Variant],
    now: dt.datetime,
) -> None:
    """Let a cost apply from today on: it is stored with the settings, which are dated."""
    costs = {**history.latest.settings.cost_per_impression, variant_id: cost}
    settings = history.latest.settings.model_copy(
        update={"cost_per_impression": {name: cost for name, cost in costs.items() if cost is not None}}
    )
    state = history.latest.state
    settings_changes.apply_from_today(session, experiment_id, history, known, state, settings, now)


def _check_not_rolled_out(history: SettingsHistory, variant_id: str) -> None:
    if history.latest.settings.rollout == variant_id:
        raise Conflict(f"variant {variant_id!r} was given everything; undo the rollout before it goes")


def _check_retirement(before: Variant, retired_on: dt.date | None, today: dt.date) -> None:
    if before.retired_on is not None and before.retired_on < today and retired_on != before.retired_on:
        raise Conflict(
            f"variant {before.variant_id!r} retired on {before.retired_on}; that day is past and stays as it was"
        )
    if retired_on is not None and retired_on < max(today, before.active_from):
        earliest = max(today, before.active_from)
        error = FieldError("body.retired_on", f"Input should be {earliest} or later, not {retired_on}")
        raise Invalid("a variant retires today or later, once it is active", [error])


def _clear_control(session: Session, experiment_id: str) -> None:
    session.execute(
        update(tables.Variant)
        .where(tables.Variant.experiment_id == experiment_id, tables.Variant.is_control)
        .values(is_control=False)
    )


def delete_variant(session: Session, experiment_id: str, variant_id: str) -> None:
    """Delete a variant that was never exposed, with its empty days.

    Raises
    ------
    NotFound: there is no such experiment or variant
    Conflict: it has impressions (retire it instead), was rolled out, or the settings name it
    """
    version_lock.lock(session, experiment_id)
    read_variant(session, experiment_id, variant_id)
    history = read_settings_history(session, experiment_id)
    _check_not_rolled_out(history, variant_id)
    _check_not_named(history, variant_id)
    of_variant = (
        tables.DailyMetrics.experiment_id == experiment_id,
        tables.DailyMetrics.variant_id == variant_id,
    )
    if session.scalar(select(exists().where(*of_variant, tables.DailyMetrics.impressions > 0))):
        raise Conflict(f"variant {variant_id!r} has impressions; retire it instead of deleting it")
    for table in (
        tables.DailyMetrics,
        tables.MetricSnapshot,
        tables.ReportsByDay,
        tables.ReceivedMetrics,
        tables.Variant,
    ):
        session.execute(
            delete(table).where(table.experiment_id == experiment_id, table.variant_id == variant_id)
        )
    evidence = tables.DelayEvidence
    session.execute(delete(evidence).where(evidence.experiment_id == experiment_id))
    version_lock.increment_settings_version(session, experiment_id)


def _check_not_named(history: SettingsHistory, variant_id: str) -> None:
    settings = history.latest.settings
    floors = settings.min_share if isinstance(settings.min_share, dict) else {}
    for field, named in (("min_share", floors), ("fixed_share", settings.fixed_share)):
        if variant_id in named:
            raise Conflict(f"{field} names variant {variant_id!r}; change that first")
    if variant_id in (settings.policy.parameters.get("shares") or {}):
        raise Conflict(f"the policy's shares name variant {variant_id!r}; change them first")
