"""What an experiment has gained so far: extra conversions and value, and every variant against the control."""

import datetime as dt

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import DailyTotals, Weighting, effective_totals
from app.bandits.allocation.rounding import significant
from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.best_arm.best_arm import best_arm
from app.bandits.best_arm.best_value_arm import best_value_arm
from app.bandits.estimation.gain import GainEstimate as EstimatedGain
from app.bandits.estimation.gain import extra_conversions, extra_value, moved_trials
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals
from app.schemas.analysis.impact import AgainstControl, Comparison, Gain, PointEstimate, VariantTraffic
from app.schemas.experiments.settings import StoredSettings
from app.services.allocations import response
from app.services.allocations.inputs import delayed_totals
from app.services.allocations.inputs.daily_totals import (
    VariantDays,
    day_number,
    find_unreported_days,
    read_variant_days,
    table_of,
)
from app.services.allocations.inputs.decision_inputs import DecisionInputs, read_inputs_on
from app.services.experiments import settings_history


def gain(session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime) -> Gain:
    """Return what an experiment has earned before a date beyond an even split of the same traffic.

    All days count alike, whatever the window or half-life: they all earned something. Retired variants count for
    the days they were there.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    """
    history = settings_history.read_settings_history(session, experiment_id)
    date = settings_history.resolve_date(history, for_date, now)
    settings = history.at(date).settings
    tracked = history.source == "tracked"
    delayed = delayed_totals.read(session, experiment_id, history, date)
    reading = delayed.reading(settings, tracked)
    variants = read_variant_days(session, experiment_id, date, date - dt.timedelta(days=1), reading)
    if not variants:
        return Gain(experiment_id=experiment_id, date=date, days=0, currency=settings.currency)
    table, _ = delayed.count(table_of(variants, reading), variants, date)
    missing: dict[dt.date, tuple[str, ...]] = {}
    if not tracked:  # there a variant without a row had no units
        missing = find_unreported_days(session, experiment_id, table, variants).incomplete
    daily = table.totals.select(~np.isin(table.totals.day, [day_number(day) for day in missing]))
    moved = moved_trials(daily.trials, _active(daily, variants))
    conversions, value = _earnings(
        moved, daily, settings, variants, valued=not any(table.days_without_revenue)
    )
    trials = daily.trials.sum(axis=0)
    return Gain(
        experiment_id=experiment_id,
        date=date,
        days=int((daily.trials.sum(axis=1) > 0).sum()),
        conversions=_estimate(conversions),
        value=_estimate(value),
        currency=settings.currency,
        variants=[
            VariantTraffic(variant_id=variant.variant_id, impressions=int(shown), even_split=float(due))
            for variant, shown, due in zip(variants, trials, trials - moved, strict=True)
        ],
    )


def _active(daily: DailyTotals, variants: list[VariantDays]) -> Booleans:
    """Return on which days (t, k) each variant took part: it could get traffic, or had some all the same.

    One that never had any takes no part: only its prior says what traffic would have earned there.
    """
    first = np.array([day_number(variant.first_eligible_day) for variant in variants])
    end = np.array([day_number(variant.retired_on or dt.date.max) for variant in variants])
    day = daily.day[:, None]
    tried = (daily.trials > 0).any(axis=0)
    active: Booleans = ((first <= day) & (day < end) & tried) | (daily.trials > 0)
    return active


def _earnings(
    moved: Floats,
    daily: DailyTotals,
    settings: StoredSettings,
    variants: list[VariantDays],
    valued: bool,
) -> tuple[EstimatedGain | None, EstimatedGain | None]:
    used = effective_totals(daily, int(daily.day.max(initial=0)), Weighting())
    if not used.as_booked.trials.any() or not used.possible.all():
        return None, None
    prior = (settings.prior.a, settings.prior.b)
    conversions = extra_conversions(moved, BetaArms.from_totals(Totals(used.trials, used.successes), prior))
    if used.value is None or not valued:
        return conversions, None
    costs = np.array([settings.cost_per_impression.get(variant.variant_id, 0.0) for variant in variants])
    totals = Totals(used.trials, used.successes, used.value, used.value_sq, costs)
    return conversions, extra_value(moved, ValueArms.from_totals(totals, prior))


def _estimate(gained: EstimatedGain | None) -> PointEstimate | None:
    return None if gained is None else PointEstimate(mean=gained.mean, interval_95=gained.interval())


def comparison(
    session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime
) -> Comparison:
    """Return every variant of a date against the control, by the totals that decide the date.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    Conflict: no variant is active on the date
    """
    inputs = read_inputs_on(session, experiment_id, for_date, now, summed=True)
    if inputs.control not in inputs.variant_ids:
        return Comparison(experiment_id=experiment_id, date=inputs.date, control=None, variants=[])
    control = inputs.variant_ids.index(inputs.control)
    others = [i for i in range(len(inputs.variant_ids)) if i != control]
    totals = response.decided_from(inputs).totals
    mean, p_better = _compare(totals, inputs, np.array(others, np.intp), control)
    tried = totals.trials > 0
    return Comparison(
        experiment_id=experiment_id,
        date=inputs.date,
        control=inputs.control,
        variants=[
            _against(inputs.variant_ids[i], float(p), float(mean[i]), float(mean[control]))
            if tried[i] and tried[control]
            else AgainstControl(
                variant_id=inputs.variant_ids[i], p_better=None, difference=None, relative=None
            )
            for i, p in zip(others, p_better, strict=True)
        ],
    )


def _against(variant_id: str, p_better: float, mean: float, control: float) -> AgainstControl:
    return AgainstControl(
        variant_id=variant_id,
        p_better=p_better,
        difference=significant(mean - control, beside=control),
        relative=significant(mean / control - 1, beside=1) if control > 0 else None,
    )


def _compare(totals: Totals, inputs: DecisionInputs, others: Integers, control: int) -> tuple[Floats, Floats]:
    """Return the posterior means (k,), and with what probability each of some arms is better than one."""
    if not len(others):
        return np.zeros(totals.k), np.zeros(0)
    prior = (inputs.settings.prior.a, inputs.settings.prior.b)
    pairs = np.stack([others, np.full(len(others), control)], axis=-1)
    rates = BetaArms.from_totals(totals, prior)
    if totals.value is None or inputs.days_without_revenue:
        return rates.mean, best_arm(BetaArms(rates.a[pairs], rates.b[pairs])).p_best[:, 0]
    arms = ValueArms.from_totals(totals, prior)
    two = ValueArms(
        BetaArms(rates.a[pairs], rates.b[pairs]),
        arms.value.at(pairs),
        arms.cost[pairs],
        np.broadcast_to(arms.known, (len(pairs), 1)),
    )
    return arms.mean, best_value_arm(two).p_best[:, 0]
