"""Shares that hold whatever the data: floors, fixed shares, a rollout; and whether they fit together."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats
from app.errors import FieldError, Invalid
from app.schemas.experiments.experiments import Variant
from app.schemas.experiments.settings import StoredSettings

SLACK = 1e-6
"""Percent that sums of what a person chose may be off."""


@dataclass(frozen=True, slots=True)
class ShareConstraints:
    """Fractions of traffic: floors ``(k,)``, and fixed shares ``(k,)`` with NaN for variants that have none."""

    floors: Floats
    fixed: Floats

    def total(self) -> float:
        """Return the sum of all floors and fixed shares."""
        return float(np.where(np.isnan(self.fixed), self.floors, self.fixed).sum())

    def normalized(self) -> "ShareConstraints":
        """Return constraints that fit: lowered in proportion where they exceed 1, raised where all are fixed.

        They are checked when they are set, for the variants of that time; on other days there may be others.
        """
        total = self.total()
        complete = not np.isnan(self.fixed).any()
        if total > 1 or (complete and total > 0):
            return ShareConstraints(self.floors / total, self.fixed / total)
        return self if not complete else ShareConstraints(self.floors, np.full(len(self.fixed), np.nan))


def constraints_for(settings: StoredSettings, variant_ids: Sequence[str]) -> ShareConstraints:
    """Return the floors and fixed shares of these variants, whether or not they fit together."""
    if settings.rollout in variant_ids:
        everything = [float(variant_id == settings.rollout) for variant_id in variant_ids]
        return ShareConstraints(np.zeros(len(variant_ids)), np.array(everything))
    floor = settings.min_share
    floors = [floor.get(v, 0.0) if isinstance(floor, dict) else floor for v in variant_ids]
    fixed = [settings.fixed_share.get(v, np.nan) for v in variant_ids]
    return ShareConstraints(np.array(floors) / 100, np.array(fixed) / 100)


def validate(settings: StoredSettings, variants: Sequence[Variant], today: dt.date) -> None:
    """Reject floors and fixed shares that the variants active today, or on a later day known now, cannot all get.

    Raises
    ------
    Invalid: saying what does not fit, and what would
    """
    _check_names(settings, [variant.variant_id for variant in variants])
    if settings.cost_per_impression and settings.objective != "value":
        sentence = "costs per impression go with objective value, and only with it"
        raise Invalid(sentence, [FieldError("body.cost_per_impression", sentence)])
    turns = {
        day for v in variants for day in (v.active_from, v.retired_on) if day is not None and day > today
    }
    for date in sorted({today, *turns}):
        active = [v.variant_id for v in variants if v.active_on(date)]
        if active:
            _check_date(settings, active, date)


def _check_date(settings: StoredSettings, active: Sequence[str], date: dt.date) -> None:
    constraints = constraints_for(settings, active)
    percent = 100 * constraints.total()
    when = f"of the {len(active)} variants active on {date}"
    if percent > 100 + SLACK:
        _reject(settings, f"floors and fixed shares {when} sum to {percent:g} %, over 100")
    if not np.isnan(constraints.fixed).any() and percent < 100 - SLACK:
        _reject(settings, f"every one {when} is fixed, but their shares sum to {percent:g} %, not 100")
    chosen = settings.policy.parameters.get("shares")
    if chosen is not None and not any(chosen.get(variant_id, 0) > 0 for variant_id in active):
        raise Invalid(
            f"the policy's shares leave nobody {when}", [FieldError("body.policy.shares", "leaves nobody")]
        )


def _reject(settings: StoredSettings, sentence: str) -> None:
    field = "fixed_share" if settings.fixed_share else "min_share"
    raise Invalid(sentence, [FieldError(f"body.{field}", sentence)])


def _check_names(settings: StoredSettings, known: Sequence[str]) -> None:
    named = {
        "min_share": settings.min_share if isinstance(settings.min_share, dict) else {},
        "fixed_share": settings.fixed_share,
        "policy.shares": settings.policy.parameters.get("shares") or {},
    }
    errors = [
        FieldError(
            f"body.{field}.{name}", f"Input should name a variant: {', '.join(known[:20]) or 'there is none'}"
        )
        for field, variants in named.items()
        for name in variants
        if name not in known
    ]
    if errors:
        raise Invalid("the settings name variants that the experiment does not have", errors)
