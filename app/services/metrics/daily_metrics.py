"""Daily metrics: record, read and delete the totals of each variant and day."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import delete, select, text, tuple_
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid, NotFound
from app.schemas.experiments.experiments import VariantIn
from app.schemas.metrics import DailyTotal, Registered, Stored
from app.services.access import principal
from app.services.delay.reports import known_through
from app.services.experiments import lifecycle, share_constraints, variants, version_lock
from app.services.experiments.settings_history import SettingsHistory, read_histories
from app.services.experiments.variant_queries import variants_of
from app.services.metrics import report_upsert, revenue_checks
from app.services.metrics.report_upsert import UpsertCounts, statements_for
from app.storage import tables

NumberedTotals = Sequence[tuple[int, DailyTotal]]
"""Totals with their positions in the message."""
TotalsByExperiment = Mapping[str, NumberedTotals]
RetirementDays = dict[str, dt.date | None]
"""The variants of an experiment and the days of their retirement, or None."""


UPSERT = statements_for("""
    select * from unnest(
        cast(:variant_ids as text[]), cast(:dates as date[]), cast(:impressions as bigint[]),
        cast(:successes as bigint[]), cast(:revenue as numeric[]), cast(:revenue_sq as numeric[]),
        cast(:as_of as date[])
    ) with ordinality as sent (variant_id, date, impressions, successes, revenue, revenue_sq, as_of, place)
""")


AS_OF_SQL = text(f"""
    select distinct on (date, variant_id) * from (
        select m.date, m.variant_id, m.impressions, m.successes, m.revenue, m.revenue_sq, m.updated_at,
               {known_through(":zone")} as as_of
        from experiment_metrics m where m.experiment_id = :experiment_id
        union all
        select date, variant_id, impressions, successes, revenue, revenue_sq, null, as_of
        from metric_snapshots where experiment_id = :experiment_id
    ) report
    where as_of <= :as_of and date between :since and :until
      and (cast(:day as date) is null or (date, variant_id) > (cast(:day as date), cast(:after as text)))
    order by date, variant_id, as_of desc
    limit :limit
""")  # noqa: S608  a constant


def record(
    session: Session, sent: DailyTotal | Sequence[DailyTotal], now: dt.datetime, auto_register: bool
) -> Stored:
    """Store daily totals, one or several, all or none; a total sent again replaces the one stored.

    One that is known through an earlier day than the one stored only adds to the history.

    Safe to repeat: what is already stored with the same values changes nothing. Safe to race: writers of one
    experiment wait for each other, and the last one's values stay.

    Raises
    ------
    Invalid: the same key twice, a date after tomorrow, an as_of before the date or after today, more successes
        than impressions, an impossible revenue_sq
    Conflict: totals dated after the variant's retirement, or of an experiment whose totals are tracked
    NotFound: an unknown experiment or variant, where they are not registered implicitly
    Forbidden: an experiment that the principal may not access
    """
    totals = [sent] if isinstance(sent, DailyTotal) else sent
    places = ["body"] if isinstance(sent, DailyTotal) else [f"body.{index}" for index in range(len(totals))]
    principal.require_access_to_all(
        (f"{place}.experiment_id", total.experiment_id) for place, total in zip(places, totals, strict=True)
    )
    _check_distinct(totals)
    numbered = sorted(enumerate(totals), key=lambda item: item[1].key)
    groups = {name: list(group) for name, group in groupby(numbered, key=lambda item: item[1].experiment_id)}
    new = {name for name in groups if lifecycle.lock_or_register(session, name, now, auto_register)}
    lifecycle.claim_source(session, groups, "reported")
    histories, known = read_histories(session, groups), known_variants(session, groups)
    _check_plausible(groups, histories, now, places)
    _check_not_retired(groups, known, places)
    written, registered = UpsertCounts(0, 0), []
    for experiment_id, group in groups.items():
        history, variant_ids = histories[experiment_id], _grouped_by_experiment(group)
        added = [variant_id for variant_id in variant_ids if variant_id not in known[experiment_id]]
        register_variants(session, experiment_id, added, history, now, auto_register)
        if added or experiment_id in new:
            one = Registered(experiment_id=experiment_id, new=experiment_id in new, variants=added)
            registered.append(one)
        written += upsert(session, experiment_id, [total for _, total in group], history, now)
    unchanged = len(totals) - written.inserted - written.updated
    return Stored(
        received=len(totals),
        inserted=written.inserted,
        updated=written.updated,
        unchanged=unchanged,
        registered=registered,
    )


def _grouped_by_experiment(group: NumberedTotals) -> list[str]:
    """Return the variants of some totals in the order in which the message names them."""
    return list(dict.fromkeys(total.variant_id for _, total in sorted(group, key=lambda item: item[0])))


def _check_distinct(totals: Sequence[DailyTotal]) -> None:
    first_at: dict[tuple[Any, ...], int] = {}
    errors = []
    for index, total in enumerate(totals):
        first = first_at.setdefault((*total.key, total.as_of), index)
        if first != index:
            message = f"the same experiment, variant and date as body.{first}; send each key once"
            errors.append(FieldError(f"body.{index}", message))
    if errors:
        raise Invalid("the array names the same experiment, variant and date more than once", errors)


def _check_plausible(
    groups: TotalsByExperiment,
    histories: Mapping[str, SettingsHistory],
    now: dt.datetime,
    places: Sequence[str],
) -> None:
    """Reject days in the future and, unless conversions arrive late, totals that no day can have."""
    errors = []
    for experiment_id, group in groups.items():
        history = histories[experiment_id]
        today = history.today(now)
        tomorrow = today + dt.timedelta(days=1)
        for index, total in group:
            if total.date > tomorrow:
                message = f"{total.date} is after tomorrow ({tomorrow} in the experiment's time zone)"
                errors.append((index, FieldError(f"{places[index]}.date", message)))
            if total.as_of is not None and not total.date <= total.as_of <= today:
                message = f"{total.as_of} is not between the day itself and today ({today})"
                errors.append((index, FieldError(f"{places[index]}.as_of", message)))
            if total.successes > total.impressions and not history.latest.settings.late_conversions:
                message = f"{total.successes} successes of only {total.impressions} impressions"
                errors.append((index, FieldError(f"{places[index]}.successes", message)))
            if revenue_checks.violates_cauchy_schwarz(total) and not history.latest.settings.late_conversions:
                message = f"too small for {total.successes} values with the sum {total.revenue}"
                errors.append((index, FieldError(f"{places[index]}.revenue_sq", message)))
    if errors:
        raise Invalid("some totals cannot be true", [error for _, error in sorted(errors, key=itemgetter(0))])


def _check_not_retired(
    groups: TotalsByExperiment, known: Mapping[str, RetirementDays], places: Sequence[str]
) -> None:
    """Reject totals of days on which their variant was no longer served."""
    errors = []
    for experiment_id, group in groups.items():
        for index, total in group:
            retired_on = known[experiment_id].get(total.variant_id)
            if retired_on is not None and total.date > retired_on:
                message = f"{total.variant_id!r} retired on {retired_on}"
                errors.append((index, FieldError(f"{places[index]}.date", message)))
    if errors:
        ordered = [error for _, error in sorted(errors, key=itemgetter(0))]
        raise Conflict("totals dated after their variant's retirement", ordered)


def known_variants(session: Session, experiment_ids: Iterable[str]) -> dict[str, RetirementDays]:
    """Return the day of retirement, or None, of every variant of some experiments."""
    variant = tables.Variant
    known: dict[str, RetirementDays] = {experiment_id: {} for experiment_id in experiment_ids}
    for row in session.execute(
        select(variant.experiment_id, variant.variant_id, variant.retired_on).where(
            variant.experiment_id.in_(list(known))
        )
    ):
        known[row.experiment_id][row.variant_id] = row.retired_on
    return known


def register_variants(
    session: Session,
    experiment_id: str,
    new: Sequence[str],
    history: SettingsHistory,
    now: dt.datetime,
    auto_register: bool,
) -> None:
    """Register variants that totals name, in the order given.

    Raises
    ------
    NotFound: variants are not registered implicitly
    Invalid: the experiment's floors permit no further variant
    """
    if not new:
        return
    if not auto_register:
        raise NotFound(f"experiment {experiment_id!r} has no variant {new[0]!r}; add it first")
    variants.check_room(session, experiment_id, len(new))
    today = history.today(now)
    variants.register(session, experiment_id, [VariantIn(variant_id=name) for name in new], today)
    share_constraints.validate(history.latest.settings, variants_of(session, experiment_id), today)
    version_lock.increment_settings_version(session, experiment_id)


def upsert(
    session: Session,
    experiment_id: str,
    totals: Sequence[DailyTotal],
    history: SettingsHistory,
    now: dt.datetime,
) -> UpsertCounts:
    """Insert or replace the totals of one experiment, whose lock the caller holds."""
    return report_upsert.execute(
        session,
        UPSERT,
        experiment_id,
        history,
        now,
        variant_ids=[total.variant_id for total in totals],
        dates=[total.date for total in totals],
        impressions=[total.impressions for total in totals],
        successes=[total.successes for total in totals],
        revenue=[total.revenue for total in totals],
        revenue_sq=[total.revenue_sq for total in totals],
        as_of=[total.as_of for total in totals],
    )


def read_totals(
    session: Session,
    experiment_id: str,
    since: dt.date | None,
    until: dt.date | None,
    after: tuple[dt.date, str] | None,
    limit: int,
    as_of: dt.date | None = None,
) -> Sequence[Any]:
    """Return stored totals by date and variant; ``since`` and ``until`` are inclusive.

    Parameters
    ----------
    as_of : the totals as they were known through that day, which leaves out what was reported later

    Raises
    ------
    NotFound: there is no such experiment
    """
    if session.get(tables.Experiment, experiment_id) is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    if as_of is not None:
        values = {
            "since": since or dt.date.min,
            "until": until or dt.date.max,
            "as_of": as_of,
            "limit": limit,
        }
        day, variant_id = after or (None, None)
        zone = read_histories(session, [experiment_id])[experiment_id].latest.settings.time_zone
        values |= {"experiment_id": experiment_id, "day": day, "after": variant_id, "zone": zone}
        return session.execute(AS_OF_SQL, values).all()
    rows = tables.DailyMetrics
    query = select(rows).where(rows.experiment_id == experiment_id).order_by(rows.date, rows.variant_id)
    if since is not None:
        query = query.where(rows.date >= since)
    if until is not None:
        query = query.where(rows.date <= until)
    if after is not None:
        query = query.where(tuple_(rows.date, rows.variant_id) > after)
    return list(session.scalars(query.limit(limit)))


def delete_total(session: Session, experiment_id: str, variant_id: str, date: dt.date) -> None:
    """Delete one day's totals of a variant, and all reports of them.

    Raises
    ------
    NotFound: nothing is stored for it
    Conflict: the experiment's totals are tracked
    """
    version_lock.lock(session, experiment_id)
    lifecycle.claim_source(session, [experiment_id], "reported")
    deleted = session.execute(
        delete(tables.DailyMetrics)
        .where(
            tables.DailyMetrics.experiment_id == experiment_id,
            tables.DailyMetrics.variant_id == variant_id,
            tables.DailyMetrics.date == date,
        )
        .returning(tables.DailyMetrics.date)
    ).all()
    for earlier in (tables.MetricSnapshot, tables.ReportsByDay):
        session.execute(
            delete(earlier).where(
                earlier.experiment_id == experiment_id,
                earlier.variant_id == variant_id,
                earlier.date == date,
            )
        )
    evidence = tables.DelayEvidence
    session.execute(delete(evidence).where(evidence.experiment_id == experiment_id, evidence.date == date))
    if not deleted:
        raise NotFound(f"nothing is stored for {experiment_id!r}, {variant_id!r} on {date}")
    version_lock.increment_version(session, experiment_id)
