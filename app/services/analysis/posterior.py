"""What is known on a date: the totals as used, and the posterior densities."""

import datetime as dt

from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import EffectiveTotals, Weighting, effective_totals
from app.bandits.arrays import Floats
from app.bandits.posteriors.density_curves import posterior_curves
from app.errors import Conflict
from app.schemas.analysis.posterior import Curve, Posterior, TotalsUsed, VariantEvidence, VariantTotals
from app.services.allocations import daily_totals, response
from app.services.allocations.decision_inputs import DecisionInputs, read_inputs
from app.services.experiments import settings_history


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
    date, found = _inputs(session, experiment_id, for_date, now)
    curves = posterior_curves(response.decided_from(found).rates, points)
    return Posterior(
        experiment_id=experiment_id,
        date=date,
        curves=[
            Curve(variant_id=variant_id, rate=curves.theta[i].tolist(), density=curves.density[i].tolist())
            for i, variant_id in enumerate(found.variant_ids)
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
        date, found = _inputs(session, experiment_id, for_date, now)
    except Conflict:
        return None
    raw = effective_totals(found.all_days, daily_totals.day_number(found.last), Weighting())
    return TotalsUsed(
        date=date,
        last_day=found.last,
        data_through=found.data_through,
        left_out=list(found.incomplete_days),
        variants=[
            VariantEvidence(variant_id=v, raw=_of_arm(raw, i), effective=_of_arm(found.used, i))
            for i, v in enumerate(found.variant_ids)
        ],
    )


def _inputs(
    session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime
) -> tuple[dt.date, DecisionInputs]:
    timeline = settings_history.read_settings_history(session, experiment_id)
    date = settings_history.resolve_date(timeline, for_date, now)
    return date, read_inputs(session, experiment_id, timeline, date)


def _of_arm(totals: EffectiveTotals, arm: int) -> VariantTotals:
    def at(figures: Floats | None) -> float | None:
        return None if figures is None else float(figures[arm])

    return VariantTotals(
        days=int(totals.days[arm]),
        impressions=float(totals.trials[arm]),
        successes=float(totals.successes[arm]),
        revenue=at(totals.value),
        revenue_sq=at(totals.value_sq),
    )
