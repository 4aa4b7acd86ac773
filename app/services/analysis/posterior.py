"""What is known on a date: the totals as used, and the posterior densities."""

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import EffectiveTotals, Weighting, effective_totals
from app.bandits.arrays import Floats, Integers
from app.bandits.posteriors.density_curves import posterior_curves
from app.errors import Conflict
from app.schemas.analysis.posterior import Curve, Posterior, TotalsUsed, VariantEvidence, VariantTotals
from app.services.allocations import response
from app.services.allocations.inputs.decision_inputs import read_inputs_on


def posterior(
    session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime, points: int
) -> Posterior:
    """Return the posterior densities of a date's active variants.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    Conflict: no variant is active on the date
    """
    inputs = read_inputs_on(session, experiment_id, for_date, now, summed=True)
    curves = posterior_curves(response.decided_from(inputs).rates, points)
    return Posterior(
        experiment_id=experiment_id,
        date=inputs.date,
        curves=[
            Curve(variant_id=variant_id, rate=curves.theta[i].tolist(), density=curves.density[i].tolist())
            for i, variant_id in enumerate(inputs.variant_ids)
        ],
    )


def totals_used(
    session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime
) -> TotalsUsed | None:
    """Return the totals a date's allocation is decided from; None where no variant is active on it.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    """
    try:
        inputs = read_inputs_on(session, experiment_id, for_date, now, summed=True)
    except Conflict:
        return None
    booked = replace(inputs.all_days, fractions=None)
    raw = effective_totals(booked, inputs.last_period, Weighting())
    days = None if inputs.hour is None else inputs.daily.shown.sum(axis=0)
    return TotalsUsed(
        date=inputs.date,
        last_day=inputs.last,
        data_through=inputs.data_through,
        left_out=list(inputs.unreported.incomplete),
        variants=[
            VariantEvidence(variant_id=v, raw=_of_arm(raw, i, days), effective=_of_arm(inputs.used, i, days))
            for i, v in enumerate(inputs.variant_ids)
        ],
    )


def _of_arm(totals: EffectiveTotals, arm: int, days: Integers | None) -> VariantTotals:
    """Return an arm's totals; ``days`` are given where the rows of the totals are hours."""

    def at(values: Floats | None) -> float | None:
        return None if values is None else float(values[arm])

    return VariantTotals(
        days=int((totals.days if days is None else days)[arm]),
        impressions=float(totals.trials[arm]),
        successes=float(totals.successes[arm]),
        revenue=at(totals.value),
        revenue_sq=at(totals.value_sq),
    )
