"""The variants of an experiment: register, add, change, retire, delete."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid, NotFound
from app.schemas.experiments import Settings, Variant, VariantIn, VariantPatch
from app.services import locks
from app.services.timeline import read_timelines
from app.storage import tables


def read_variants(session: Session, experiment_ids: Iterable[str]) -> dict[str, list[Variant]]:
    """Return each experiment's variants in the order of registration."""
    first_data_on = (
        select(func.min(tables.DailyMetrics.date))
        .where(
            tables.DailyMetrics.experiment_id == tables.Variant.experiment_id,
            tables.DailyMetrics.variant_id == tables.Variant.variant_id,
        )
        .scalar_subquery()
    )
    rows = session.execute(
        select(tables.Variant, first_data_on)
        .where(tables.Variant.experiment_id.in_(list(experiment_ids)))
        .order_by(tables.Variant.experiment_id, tables.Variant.position)
    )
    variants: dict[str, list[Variant]] = defaultdict(list)
    for row, first in rows:
        variants[row.experiment_id].append(_as_seen(row, first))
    return variants


def _as_seen(row: tables.Variant, first_data_on: dt.date | None) -> Variant:
    began = row.active_from or min(first_data_on or row.registered_on, row.registered_on)
    return Variant(
        variant_id=row.variant_id,
        name=row.name,
        description=row.description,
        is_control=row.is_control,
        registered_on=row.registered_on,
        active_from=began,
        retired_on=row.retired_on,
    )


def read_variant(session: Session, experiment_id: str, variant_id: str) -> Variant:
    """Return one variant.

    Raises
    ------
    NotFound: the experiment has no such variant
    """
    for variant in read_variants(session, [experiment_id]).get(experiment_id, []):
        if variant.variant_id == variant_id:
            return variant
    raise NotFound(f"experiment {experiment_id!r} has no variant {variant_id!r}")


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
                **variant.model_dump(),
            )
        )
        session.flush()


def check_floors_fit(session: Session, experiment_id: str, settings: Settings, today: dt.date) -> None:
    """Refuse floors that the variants active today or later cannot all have.

    Raises
    ------
    Invalid: saying how many variants there are and what would fit
    """
    members = read_variants(session, [experiment_id]).get(experiment_id, [])
    count = sum(variant.retired_on is None or variant.retired_on > today for variant in members)
    if settings.min_share * count > 100:
        fault = FieldError("body.min_share", f"Input should be at most {100 / count:g} with {count} variants")
        raise Invalid(f"a floor of {settings.min_share:g} % does not fit {count} variants", [fault])


def add_variant(session: Session, experiment_id: str, variant: VariantIn, now: dt.datetime) -> Variant:
    """Add a variant to a running experiment; it joins the split from today on, in burn-in.

    Raises
    ------
    NotFound: there is no such experiment
    Conflict: the experiment already has a variant with this id
    """
    locks.lock(session, experiment_id)
    timeline = read_timelines(session, [experiment_id])[experiment_id]
    today = timeline.today(now)
    if variant.is_control:
        _clear_control(session, experiment_id)
    register(session, experiment_id, [variant], today)
    check_floors_fit(session, experiment_id, timeline.latest.settings, today)
    locks.bump(session, experiment_id)
    return read_variant(session, experiment_id, variant.variant_id)


def change_variant(
    session: Session, experiment_id: str, variant_id: str, patch: VariantPatch, now: dt.datetime
) -> Variant:
    """Change a variant's words, make it the control, or retire it from a day on (today or later).

    Raises
    ------
    NotFound: there is no such experiment or variant
    Invalid: a retirement in the past, which would rewrite what was answered
    """
    locks.lock(session, experiment_id)
    before = read_variant(session, experiment_id, variant_id)
    changes = patch.model_dump(exclude_unset=True)
    if "retired_on" in changes:
        today = read_timelines(session, [experiment_id])[experiment_id].today(now)
        _check_retirement(before, patch.retired_on, today)
    if changes.get("is_control", False) is None:
        changes["is_control"] = False
    if changes.get("is_control"):
        _clear_control(session, experiment_id)
    if changes:
        session.execute(
            update(tables.Variant)
            .where(tables.Variant.experiment_id == experiment_id, tables.Variant.variant_id == variant_id)
            .values(changes)
        )
        locks.bump(session, experiment_id)
    return read_variant(session, experiment_id, variant_id)


def _check_retirement(before: Variant, retired_on: dt.date | None, today: dt.date) -> None:
    if before.retired_on is not None and before.retired_on < today and retired_on != before.retired_on:
        raise Conflict(
            f"variant {before.variant_id!r} retired on {before.retired_on}; that day is past and stays as it was"
        )
    if retired_on is not None and retired_on < max(today, before.active_from):
        earliest = max(today, before.active_from)
        fault = FieldError("body.retired_on", f"Input should be {earliest} or later, not {retired_on}")
        raise Invalid("a variant retires today or later, once it is active", [fault])


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
    Conflict: it has impressions; retire it instead
    """
    locks.lock(session, experiment_id)
    read_variant(session, experiment_id, variant_id)
    of_variant = (
        tables.DailyMetrics.experiment_id == experiment_id,
        tables.DailyMetrics.variant_id == variant_id,
    )
    if session.scalar(select(exists().where(*of_variant, tables.DailyMetrics.impressions > 0))):
        raise Conflict(f"variant {variant_id!r} has impressions; retire it instead of deleting it")
    session.execute(delete(tables.DailyMetrics).where(*of_variant))
    session.execute(
        delete(tables.Variant).where(
            tables.Variant.experiment_id == experiment_id, tables.Variant.variant_id == variant_id
        )
    )
    locks.bump(session, experiment_id)
