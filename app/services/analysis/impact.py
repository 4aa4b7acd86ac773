"""What an experiment has brought so far: extra conversions and value, and every variant beside the control."""

import datetime as dt

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import DailyTotals
from app.bandits.arrays import Floats, Integers
from app.bandits.best_arm.best_arm import best_arm
from app.bandits.best_arm.best_value_arm import best_value_arm
from app.bandits.estimation.gain import Gain as GainFound
from app.bandits.estimation.gain import Mask, extra_conversions, extra_value, moved_trials
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals
from app.schemas.analysis.impact import AgainstControl, Comparison, Gain, PointEstimate, VariantTraffic
from app.schemas.experiments.settings import StoredSettings
from app.services.allocations import daily_totals, decision_inputs, response
from app.services.experiments import lifecycle, settings_history


def gain(session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime) -> Gain:
    """Return what an experiment has earned before a date beyond an even split of the same traffic.

    All days count alike, whatever the window or half-life: they all earned something. Retired variants count for
    the days they were there.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    """
    timeline = settings_history.read_settings_history(session, experiment_id)
    date = settings_history.resolve_date(timeline, for_date, now)
    settings = timeline.at(date).settings
    by_value = settings.objective == "value"
    arms = daily_totals.read_variant_days(session, experiment_id, date, date - dt.timedelta(days=1), by_value)
    if not arms:
        return Gain(experiment_id=experiment_id, date=date, days=0, currency=settings.currency)
    table = daily_totals.table_of(arms, by_value)
    waited_for = timeline.source != "tracked"  # who has no row had no units
    missing = daily_totals.find_incomplete_days(session, experiment_id, table, arms) if waited_for else {}
    left_out = [daily_totals.day_number(day) for day in missing]
    daily = table.totals.kept(~np.isin(table.totals.day, left_out))
    moved = moved_trials(daily.trials, _live(daily, arms))
    conversions, value = _earnings(moved, daily, settings, arms, valued=not any(table.days_without_revenue))
    trials = daily.trials.sum(axis=0)
    return Gain(
        experiment_id=experiment_id,
        date=date,
        days=int((daily.trials.sum(axis=1) > 0).sum()),
        conversions=_estimate(conversions),
        value=_estimate(value),
        currency=settings.currency,
        variants=[
            VariantTraffic(variant_id=arm.variant_id, impressions=int(shown), even_split=float(due))
            for arm, shown, due in zip(arms, trials, trials - moved, strict=True)
        ],
    )


def _live(daily: DailyTotals, arms: list[daily_totals.VariantDays]) -> Mask:
    """Return on which days (t, k) each variant took part: it could get traffic, or had some all the same."""
    first = np.array([daily_totals.day_number(decision_inputs.first_eligible_day(arm)) for arm in arms])
    last = np.array([daily_totals.day_number(arm.retired_on or dt.date.max) for arm in arms])
    day = daily.day[:, None]
    live: Mask = ((first <= day) & (day < last)) | (daily.trials > 0)
    return live


def _earnings(
    moved: Floats,
    daily: DailyTotals,
    settings: StoredSettings,
    arms: list[daily_totals.VariantDays],
    valued: bool,
) -> tuple[GainFound | None, GainFound | None]:
    trials, successes = daily.trials.sum(axis=0), daily.successes.sum(axis=0)
    if not trials.any() or (successes > trials).any():
        return None, None
    prior = (settings.prior.a, settings.prior.b)
    conversions = extra_conversions(moved, BetaArms.from_totals(Totals(trials, successes), prior))
    if daily.value is None or not valued:
        return conversions, None
    value_sq = None if daily.value_sq is None else daily.value_sq.sum(axis=0)
    costs = np.array([settings.cost_per_impression.get(arm.variant_id, 0.0) for arm in arms])
    totals = Totals(trials, successes, daily.value.sum(axis=0), value_sq, costs)
    return conversions, extra_value(moved, ValueArms.from_totals(totals, prior))


def _estimate(found: GainFound | None) -> PointEstimate | None:
    return None if found is None else PointEstimate(mean=found.mean, interval_95=found.interval())


def comparison(
    session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime
) -> Comparison:
    """Return every variant of a date beside the control, by the totals that decide the date.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    Conflict: no variant is active on the date
    """
    timeline = settings_history.read_settings_history(session, experiment_id)
    date = settings_history.resolve_date(timeline, for_date, now)
    found = decision_inputs.read_inputs(session, experiment_id, timeline, date)
    control = lifecycle.read(session, experiment_id).control
    if control not in found.variant_ids:
        return Comparison(experiment_id=experiment_id, date=date, control=None, variants=[])
    at = found.variant_ids.index(control)
    others = [i for i in range(len(found.variant_ids)) if i != at]
    mean, better = _beside(response.decided_from(found).totals, found, np.array(others, np.intp), at)
    return Comparison(
        experiment_id=experiment_id,
        date=date,
        control=control,
        variants=[
            AgainstControl(
                variant_id=found.variant_ids[i],
                p_better=float(p),
                difference=float(mean[i] - mean[at]),
                relative=float(mean[i] / mean[at] - 1) if mean[at] > 0 else None,
            )
            for i, p in zip(others, better, strict=True)
        ],
    )


def _beside(
    totals: Totals, found: decision_inputs.DecisionInputs, others: Integers, at: int
) -> tuple[Floats, Floats]:
    """Return the posterior means (k,), and with what probability each of some arms is better than one."""
    if not len(others):
        return np.zeros(totals.k), np.zeros(0)
    prior = (found.settings.prior.a, found.settings.prior.b)
    pairs = np.stack([others, np.full(len(others), at)], axis=-1)
    rates = BetaArms.from_totals(totals, prior)
    if totals.value is None or found.days_without_revenue:
        return rates.mean, best_arm(BetaArms(rates.a[pairs], rates.b[pairs])).p_best[:, 0]
    arms = ValueArms.from_totals(totals, prior)
    two = ValueArms(
        BetaArms(rates.a[pairs], rates.b[pairs]),
        arms.value.at(pairs),
        arms.cost[pairs],
        np.broadcast_to(arms.known, (len(pairs), 1)),
    )
    return arms.mean, best_value_arm(two).p_best[:, 0]
