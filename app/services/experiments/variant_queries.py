"""The variants of an experiment as they stand."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.experiments.experiments import Variant
from app.storage import tables


def list_variants(session: Session, experiment_ids: Iterable[str]) -> dict[str, list[Variant]]:
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
        variants[row.experiment_id].append(to_schema(row, first))
    return variants


def to_schema(row: tables.Variant, first_data_on: dt.date | None) -> Variant:
    """Return a variant as the API shows it; without a date of its own it is active from its first data."""
    began = row.active_from or min(first_data_on or row.registered_on, row.registered_on)
    return Variant(
        variant_id=row.variant_id,
        name=row.name,
        description=row.description,
        is_control=row.is_control,
        value=None if row.value is None else json.loads(row.value),
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
    for variant in list_variants(session, [experiment_id]).get(experiment_id, []):
        if variant.variant_id == variant_id:
            return variant
    raise NotFound(f"experiment {experiment_id!r} has no variant {variant_id!r}")
