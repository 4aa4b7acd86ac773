"""The variants of an experiment: which there are, which take part on a date, which one is the control."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.experiments.experiments import Variant
from app.storage import tables


@dataclass(frozen=True, slots=True)
class VariantDates:
    """A variant and when it takes part.

    Parameters
    ----------
    active_from : the day that was chosen for it; None where none was
    first_day : the first day it was reported on, up to the date asked for
    """

    variant_id: str
    is_control: bool
    registered_on: dt.date
    active_from: dt.date | None
    retired_on: dt.date | None
    first_day: dt.date | None

    @property
    def first_eligible_day(self) -> dt.date:
        """Return the first day on which it may get traffic."""
        return first_eligible_day(self.active_from, self.registered_on, self.first_day)

    def active_on(self, date: dt.date) -> bool:
        """Return whether it may get traffic on a date."""
        return self.first_eligible_day <= date and (self.retired_on is None or date < self.retired_on)


AnyVariant = TypeVar("AnyVariant", bound=VariantDates)


def first_eligible_day(
    active_from: dt.date | None, registered_on: dt.date, first_day: dt.date | None
) -> dt.date:
    """Return the first day on which a variant may get traffic.

    It is the chosen day, else the day of its first data or of its registration, whichever is earlier.
    """
    return active_from or min(first_day or registered_on, registered_on)


def eligible_variants(rows: Sequence[AnyVariant], date: dt.date) -> list[AnyVariant]:
    """Return the variants of a date, in the order of registration.

    A variant known only from a row of the date itself joins the day after, unless there is no other: otherwise
    that row would have an influence on its own day.
    """
    active = [row for row in rows if row.active_on(date)]
    known = [row for row in active if row.active_from or row.registered_on <= date or row.first_day != date]
    return known or active


def control_of(variants: Iterable[Variant | VariantDates]) -> str | None:
    """Return the control: the variant with is_control, else the one named "control", else the first registered."""
    control = min(variants, key=lambda v: (not v.is_control, v.variant_id != "control"), default=None)
    return None if control is None else control.variant_id


def list_variants(session: Session, experiment_ids: Iterable[str]) -> dict[str, list[Variant]]:
    """Return each experiment's variants in the order of registration; none where it has none."""
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
    for row, first_day in rows:
        variants[row.experiment_id].append(to_schema(row, first_day))
    return {experiment_id: _with_control(listed) for experiment_id, listed in variants.items()}


def _with_control(variants: Sequence[Variant]) -> list[Variant]:
    """Return variants of which the control in force is marked, whether it was chosen or is it by default."""
    control = control_of(variants)
    return [variant.model_copy(update={"is_control": variant.variant_id == control}) for variant in variants]


def variants_of(session: Session, experiment_id: str) -> list[Variant]:
    """Return the variants of one experiment in the order of registration."""
    return list_variants(session, [experiment_id]).get(experiment_id, [])


def read_variant(session: Session, experiment_id: str, variant_id: str) -> Variant:
    """Return one variant.

    Raises
    ------
    NotFound: the experiment has no such variant
    """
    return find_variant(variants_of(session, experiment_id), experiment_id, variant_id)


def find_variant(variants: Iterable[Variant], experiment_id: str, variant_id: str) -> Variant:
    """Return the variant of an id among those of an experiment.

    Raises
    ------
    NotFound: it is not among them
    """
    for variant in variants:
        if variant.variant_id == variant_id:
            return variant
    raise NotFound(f"experiment {experiment_id!r} has no variant {variant_id!r}")


def to_schema(row: tables.Variant, first_day: dt.date | None) -> Variant:
    """Return a variant as the API shows it, ``is_control`` as it was chosen."""
    return Variant(
        variant_id=row.variant_id,
        name=row.name,
        description=row.description,
        is_control=row.is_control,
        value=None if row.value is None else json.loads(row.value),
        registered_on=row.registered_on,
        active_from=first_eligible_day(row.active_from, row.registered_on, first_day),
        retired_on=row.retired_on,
    )
