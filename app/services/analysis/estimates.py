"""Estimates from the units of a tracked experiment, each of which was drawn with a known propensity."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from app.bandits.arrays import Floats
from app.bandits.estimation.adaptive_batches import AdaptiveBatches
from app.bandits.estimation.adaptive_means import (
    adaptive_differences,
    adaptive_means,
    naive_means,
    stratified_means,
)
from app.bandits.estimation.estimate import Estimate
from app.bandits.estimation.lift import Lift, Sample, conversion_lift, value_lift
from app.errors import Conflict
from app.schemas.analysis.estimates import (
    Estimated,
    Estimates,
    Holdout,
    HoldoutDay,
    Immature,
    VariantEstimates,
)
from app.schemas.experiments.experiments import Experiment
from app.services.allocations.inputs.sample_ratio import arms_of, assignment_ratio
from app.services.analysis import immature_cohorts
from app.services.analysis.immature_cohorts import ImmatureCohorts
from app.services.experiments import lifecycle
from app.storage.tables import HoldoutMetrics

EXPOSED_SQL = text("""
    select unit.kind, unit.split, unit.variant_id, splits.shares, unit.units, unit.successes, unit.value,
           unit.value_sq
    from (
        select kind, case kind when 'drawn' then split end as split, variant_id,
               count(*) as units, count(converted_at) as successes,
               cast(coalesce(sum(value), 0) as float8) as value,
               cast(coalesce(sum(value * value), 0) as float8) as value_sq
        from assignments
        where experiment_id = :experiment_id
          and kind <> 'forced' and merged_into is null and exposed_at is not null
        group by 1, 2, 3
    ) unit
    left join splits on splits.experiment_id = :experiment_id and splits.split = unit.split
    order by unit.kind, unit.split, unit.variant_id
""")
"""What exposed units did, by split and variant; units of the hold-out have no split."""


@dataclass(frozen=True, slots=True)
class Cohorts:
    """What exposed units did: counts and sums by split and arm (j, k), and those of the hold-out.

    The arms are the variants in their order, then deleted ones that had a share in some split.
    """

    propensities: Floats
    units: Floats
    successes: Floats
    value: Floats
    value_sq: Floats
    held_out: Sequence[Row[Any]]

    def batches(self, by_value: bool) -> AdaptiveBatches:
        """Return the batches of one outcome."""
        if by_value:
            return AdaptiveBatches(self.propensities, self.units, self.value, self.value_sq)
        return AdaptiveBatches(self.propensities, self.units, self.successes, self.successes)


def read(session: Session, experiment_id: str, now: dt.datetime) -> Estimates:
    """Return what the exposed units of an experiment, up to now, say about its variants.

    Conversions that have not arrived yet are missing in the means; the answer says of how many units.

    Raises
    ------
    NotFound: there is no such experiment
    Conflict: its totals are not tracked, so there are no units to estimate from
    """
    experiment = lifecycle.read(session, experiment_id)
    if experiment.source != "tracked":
        reason = "there are no events yet" if experiment.source is None else "the totals are reported"
        raise Conflict(f"estimates need units and their propensities (POST /events); {reason}")
    names = [variant.variant_id for variant in experiment.variants]
    cohorts = _cohorts(session, experiment_id, names)
    ratio = assignment_ratio(session, experiment_id, names, dt.date.max)
    immature = immature_cohorts.read(session, experiment_id, now)
    return Estimates(
        experiment_id=experiment_id,
        outcome=experiment.objective,
        currency=experiment.currency,
        control=experiment.control,
        splits=len(cohorts.units),
        sample_ratio_p=None if ratio is None else ratio.p,
        variants=_variants(experiment, cohorts, immature),
        immature=None if immature is None else _immature(immature, float(cohorts.units.sum())),
        holdout=_holdout(session, experiment, cohorts) if cohorts.held_out else None,
    )


def _cohorts(session: Session, experiment_id: str, names: Sequence[str]) -> Cohorts:
    rows = session.execute(EXPOSED_SQL, {"experiment_id": experiment_id}).all()
    drawn = [row for row in rows if row.kind == "drawn"]
    shares = {row.split: row.shares for row in drawn}
    batch = {split: j for j, split in enumerate(shares)}
    arm = {name: i for i, name in enumerate(arms_of(names, shares.values()))}
    sums = np.zeros((4, len(batch), len(arm)))
    for row in drawn:
        sums[:, batch[row.split], arm[row.variant_id]] = row.units, row.successes, row.value, row.value_sq
    percent = [[of_split.get(name, 0.0) for name in arm] for of_split in shares.values()]
    propensities = np.array(percent).reshape(sums.shape[1:]) / 100
    held_out = [row for row in rows if row.kind == "holdout"]
    units, successes, value, value_sq = sums
    return Cohorts(propensities, units, successes, value, value_sq, held_out)


def _immature(found: ImmatureCohorts, exposed: float) -> Immature:
    outstanding = sum(found.outstanding.values())
    return Immature(
        since=found.since,
        units=sum(found.units.values()),
        matured=1 - min(outstanding / exposed, 1.0) if exposed else 1.0,
    )


def _variants(
    experiment: Experiment, cohorts: Cohorts, immature: ImmatureCohorts | None
) -> list[VariantEstimates]:
    names = [variant.variant_id for variant in experiment.variants]
    batches = cohorts.batches(experiment.objective == "value")
    naive, stratified, adaptive = naive_means(batches), stratified_means(batches), adaptive_means(batches)
    control = names.index(experiment.control) if experiment.control is not None else 0
    differences, support = adaptive_differences(batches, control), batches.support()
    return [
        VariantEstimates(
            variant_id=name,
            units=int(cohorts.units[:, i].sum()),
            successes=int(cohorts.successes[:, i].sum()),
            value=cohorts.value[:, i].sum(),
            support=float(support[i]),
            matured=1.0 if immature is None else immature.matured(name, int(cohorts.units[:, i].sum())),
            note=_note(batches, i),
            naive=_estimated(naive, i),
            stratified=_estimated(stratified, i),
            adaptive=_estimated(adaptive, i),
            difference=None if i == control else _estimated(differences, i),
        )
        for i, name in enumerate(names)
    ]


def _note(batches: AdaptiveBatches, arm: int) -> str | None:
    without, total = int((~batches.supported[:, arm]).sum()), len(batches.units)
    if not without:
        return None
    return f"no support under {without} of {total} splits (propensity 0): they say nothing about this variant"


def _estimated(estimate: Estimate, arm: int) -> Estimated:
    return Estimated(
        mean=_finite(estimate.mean[arm]),
        standard_error=_finite(estimate.standard_error[arm]),
        interval_95=_interval(estimate.interval()[arm]),
    )


def _holdout(session: Session, experiment: Experiment, cohorts: Cohorts) -> Holdout:
    by_value = experiment.objective == "value"
    units, successes, value, value_sq = (
        float(sum(getattr(row, name) for row in cohorts.held_out))
        for name in ("units", "successes", "value", "value_sq")
    )
    batches = cohorts.batches(by_value)
    drawn = Sample(*(np.asarray(total.sum()) for total in (batches.units, batches.sums, batches.squares)))
    outcome = (value, value_sq) if by_value else (successes, successes)
    held_out = Sample(np.asarray(units), *map(np.asarray, outcome))
    lift: Lift = (value_lift if by_value else conversion_lift)(drawn, held_out)
    return Holdout(
        units=int(units),
        successes=int(successes),
        value=value,
        mean=_finite(held_out.mean),
        bandit_mean=_finite(drawn.mean),
        lift=_finite(lift.difference),
        interval_95=_interval(lift.interval),
        relative_lift=_finite(lift.relative),
        relative_interval_95=_interval(lift.relative_interval),
        daily=_daily(session, experiment.experiment_id),
    )


def _daily(session: Session, experiment_id: str) -> list[HoldoutDay]:
    rows = session.scalars(
        select(HoldoutMetrics)
        .where(HoldoutMetrics.experiment_id == experiment_id)
        .order_by(HoldoutMetrics.date)
    )
    return [HoldoutDay.model_validate(row) for row in rows]


def _finite(value: Floats) -> float | None:
    return float(value) if np.isfinite(value) else None


def _interval(ends: Floats) -> tuple[float, float] | None:
    return (float(ends[0]), float(ends[1])) if np.isfinite(ends).all() else None
