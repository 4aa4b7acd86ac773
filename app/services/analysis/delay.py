"""How long the conversions of an experiment take to arrive: what is used, and what the data say."""

import datetime as dt

from sqlalchemy.orm import Session

from app.bandits.allocation.rounding import significant
from app.bandits.delay.estimate import DelayEstimate
from app.schemas.analysis.delay import DelayCurveEstimate, DelayReport
from app.services.delay.delay_in_force import (
    counts_on_delay,
    estimated,
    given,
    read_evidence,
    read_hourly_evidence,
)
from app.services.experiments import full_hours, settings_history

EVIDENCE_DIGITS = 4


def delay(session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime) -> DelayReport:
    """Return the delay of an experiment's conversions, as it is counted with on a date and as the data have it.

    During a halt it is that of the day whose shares are held, as in the allocation.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    """
    history = settings_history.read_settings_history(session, experiment_id)
    date = settings_history.resolve_date(history, for_date, now)
    halt = history.halt_on(date)
    decided_on = date if halt is None else halt.shares_of
    settings = history.at(decided_on).settings
    hour = full_hours.running_hour(history, date, now)
    if hour is None:
        evidence = read_evidence(session, experiment_id, history, decided_on)
    else:
        evidence = read_hourly_evidence(session, experiment_id, hour, settings)
    used = None
    if counts_on_delay(settings):
        used = given(settings) or (None if evidence is None else estimated(evidence))
    return DelayReport(
        experiment_id=experiment_id,
        date=date,
        unit="day" if hour is None else "hour",
        kind=settings.delay.kind,
        curve=[1.0] if used is None else list(used.curve.fractions),
        estimate=None if evidence is None else _to_schema(evidence.common),
        variants={}
        if evidence is None
        else {variant_id: _to_schema(own) for variant_id, own in evidence.own().items()},
        differs=used is not None and bool(used.own),
        e_value=1.0 if evidence is None else significant(evidence.difference().e_value, EVIDENCE_DIGITS),
    )


def _to_schema(found: DelayEstimate) -> DelayCurveEstimate:
    ages = found.curve.oldest + 1
    return DelayCurveEstimate(
        curve=list(found.curve.fractions),
        low=found.low[:ages].tolist(),
        high=found.high[:ages].tolist(),
        came=found.counts.came[:ages].tolist(),
        seen_among=found.counts.at_risk[:ages].tolist(),
    )
