"""The statement that stores reports of daily totals: a day's newest is in force, the others are its history."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.services.delay.delay_in_force import oldest_age
from app.services.delay.reports import COHORT_DAYS, PACKED, known_through
from app.services.experiments.settings_history import SettingsHistory
from app.storage.pipeline import run_pipelined


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """How many reports an upsert inserted and how many it replaced."""

    inserted: int
    updated: int

    def __add__(self, other: "UpsertCounts") -> "UpsertCounts":
        return UpsertCounts(self.inserted + other.inserted, self.updated + other.updated)


@dataclass(frozen=True, slots=True)
class ReportRules:
    """By what the reports of an experiment are stored: its settings, and the time of the request."""

    history: SettingsHistory
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class ReportStatements:
    """What stores reports: an upsert, and where it corrected earlier ones what packs those of their days anew."""

    upsert: str
    repack: str


def statements_for(select_rows: str) -> ReportStatements:
    """Return the statements that store the reports of a query."""
    return ReportStatements(upsert_reports_from(select_rows), repack_days_of(select_rows))


IN_FORCE_SQL = text(f"""
    select m.variant_id, m.date, {known_through(":zone")} as as_of
    from unnest(cast(:variant_ids as text[]), cast(:dates as date[])) as asked (variant_id, date)
    join experiment_metrics m
        on m.experiment_id = :experiment_id and m.variant_id = asked.variant_id and m.date = asked.date
""")  # noqa: S608  a constant


def implied_days(
    session: Session,
    experiment_id: str,
    days: Sequence[tuple[str, dt.date]],
    history: SettingsHistory,
    now: dt.datetime,
) -> list[dt.date]:
    """Return through which day reports of some variants' days are known, for the upsert, if they do not say it."""
    variant_ids, dates = zip(*days, strict=True)
    values = {"experiment_id": experiment_id, "variant_ids": list(variant_ids), "dates": list(dates)}
    rows = session.execute(IN_FORCE_SQL, {**values, "zone": history.latest.settings.time_zone})
    in_force = {(row.variant_id, row.date): row.as_of for row in rows}
    yesterday = history.today(now) - dt.timedelta(days=1)
    return [max(date, yesterday, in_force.get((name, date), dt.date.min)) for name, date in days]


def repack_days_of(select_rows: str) -> str:
    """Return the statement that packs the earlier reports of the days of a query into ``reports_by_day``."""
    return f"""
        insert into reports_by_day as stored (experiment_id, date, variant_id, reports)
        select experiment_id, date, variant_id, string_agg({PACKED}, '' order by as_of)
        from metric_snapshots
        where experiment_id = any(%(experiment_ids)s) and as_of - date < {COHORT_DAYS}
          and (experiment_id, variant_id, date) in (
              select experiment_id, variant_id, date from ({select_rows}) of_days
          )
        group by experiment_id, date, variant_id
        on conflict (experiment_id, date, variant_id) do update set reports = excluded.reports
    """  # noqa: S608  select_rows is a constant of this application


def upsert_reports_from(select_rows: str) -> str:
    """Return the statement that stores the reports of a query, counts by experiment, and increments the versions.

    The rows have experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq, as_of and place:
    of two with the same as_of the one with the larger place counts. Without as_of a report is known through
    yesterday, its date or the as_of in force, whichever is latest. A report known through a later day than the
    one in force replaces it, and so does one known through the same day; the replaced one, and a report known
    through an earlier day, become snapshots. A report of what is stored changes nothing, unless it says that
    nothing came since, at an age that conversions still come at.
    """
    return f"""
        with terms as (
            select * from unnest(
                %(experiment_ids)s::text[], %(yesterdays)s::date[], %(zones)s::text[], %(max_days)s::int[],
                %(times)s::timestamptz[]
            ) as terms (experiment_id, yesterday, zone, max_days, time)
        ), received as ({select_rows}), resolved as (
            select distinct on (experiment_id, variant_id, date, known_through) *
            from (
                select received.*, terms.max_days, terms.time,
                       there.impressions as impressions_0, there.successes as successes_0,
                       there.revenue as revenue_0, there.revenue_sq as revenue_sq_0, there.in_force,
                       coalesce(received.as_of, greatest(received.date, terms.yesterday, there.in_force))
                           as known_through
                from received
                join terms on terms.experiment_id = received.experiment_id
                left join lateral (
                    select m.impressions, m.successes, m.revenue, m.revenue_sq,
                           {known_through("terms.zone")} as in_force
                    from experiment_metrics m
                    where m.experiment_id = received.experiment_id
                      and m.variant_id = received.variant_id and m.date = received.date
                    limit 1
                ) there on true
            ) sent
            order by experiment_id, variant_id, date, known_through, place desc
        ), judged as (
            select *, in_force is null as is_new,
                   (in_force is null or known_through >= in_force)
                       and known_through = max(known_through) over day as newest,
                   coalesce(bool_or(known_through = in_force) over day, false) as sent_again,
                   (impressions, successes, revenue, revenue_sq)
                       is distinct from (impressions_0, successes_0, revenue_0, revenue_sq_0) as differs
            from resolved
            window day as (partition by experiment_id, variant_id, date)
        ), written as (
            insert into experiment_metrics as stored
                (experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
                 times_written, created_at, updated_at, as_of)
            select experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
                   1, time, time, known_through
            from judged
            where newest and (is_new or differs or (known_through > in_force and in_force < date + max_days))
            on conflict (experiment_id, variant_id, date) do update set
                impressions = excluded.impressions,
                successes = excluded.successes,
                revenue = excluded.revenue,
                revenue_sq = excluded.revenue_sq,
                times_written = stored.times_written + 1,
                updated_at = excluded.updated_at,
                as_of = excluded.as_of
            returning stored.experiment_id
        ), history as (
            insert into metric_snapshots as stored
                (experiment_id, variant_id, date, as_of, impressions, successes, revenue, revenue_sq)
            select experiment_id, variant_id, date, known_through, impressions, successes, revenue, revenue_sq
            from judged where not newest
            union all
            select experiment_id, variant_id, date, in_force,
                   impressions_0, successes_0, revenue_0, revenue_sq_0
            from judged
            where newest and known_through > in_force and not sent_again
              and (differs or in_force < date + max_days)
            on conflict (experiment_id, variant_id, date, as_of) do update set
                impressions = excluded.impressions,
                successes = excluded.successes,
                revenue = excluded.revenue,
                revenue_sq = excluded.revenue_sq
            where (stored.impressions, stored.successes, stored.revenue, stored.revenue_sq)
                is distinct from
                (excluded.impressions, excluded.successes, excluded.revenue, excluded.revenue_sq)
            returning experiment_id, variant_id, date, as_of, impressions, successes
        ), packed as (
            insert into reports_by_day as stored (experiment_id, date, variant_id, reports)
            select experiment_id, date, variant_id, string_agg({PACKED}, '' order by as_of)
            from history where as_of - date < {COHORT_DAYS} group by experiment_id, date, variant_id
            on conflict (experiment_id, date, variant_id) do update
                set reports = stored.reports || excluded.reports
        ), outdated as (
            delete from delay_evidence
            where experiment_id = any(%(experiment_ids)s)
              and (experiment_id, date) in (select experiment_id, date from judged)
        ), bumped as (
            update experiment_versions set version = version + 1
            where experiment_id = any(array(
                select experiment_id from written union all select experiment_id from history
            ))
        ), compared as (
            select judged.experiment_id, not newest and known_through <> in_force as of_history,
                   case when newest or known_through = in_force then is_new else earlier.date is null end as added,
                   case when newest or known_through = in_force then differs
                        else (judged.impressions, judged.successes, judged.revenue, judged.revenue_sq)
                            is distinct from
                            (earlier.impressions, earlier.successes, earlier.revenue, earlier.revenue_sq)
                   end as changed
            from judged
            left join lateral (
                select * from metric_snapshots
                where experiment_id = judged.experiment_id and not judged.newest and variant_id = judged.variant_id
                  and date = judged.date and as_of = judged.known_through
                limit 1
            ) earlier on true
        )
        select experiment_id, count(*) filter (where added) as inserted,
               count(*) filter (where changed and not added) as updated,
               count(*) filter (where changed and not added and of_history) as corrected
        from compared group by experiment_id
    """  # noqa: S608  select_rows is a constant of this package


def execute(
    session: Session, statements: ReportStatements, terms: Mapping[str, ReportRules], **rows: Any
) -> dict[str, UpsertCounts]:
    """Store the reports of some experiments, whose locks the caller holds, and count them by experiment.

    Parameters
    ----------
    rows : what the query of the statements has as parameters; in lists of the same length
    """
    values = _values(terms) | rows
    (found,) = run_pipelined(session, (statements.upsert, values))
    for experiment_id, _, _, corrected in found:
        if corrected:
            only = _only(rows, experiment_id) | {"experiment_ids": [experiment_id]}
            run_pipelined(session, (statements.repack, only))
    return {experiment_id: UpsertCounts(inserted, updated) for experiment_id, inserted, updated, _ in found}


def _values(terms: Mapping[str, ReportRules]) -> dict[str, Sequence[Any]]:
    settings = [one.history.latest.settings for one in terms.values()]
    return {
        "experiment_ids": list(terms),
        "yesterdays": [one.history.today(one.now) - dt.timedelta(days=1) for one in terms.values()],
        "zones": [one.time_zone for one in settings],
        "max_days": [oldest_age(one, tracked=False) for one in settings],
        "times": [one.now for one in terms.values()],
    }


def _only(rows: Mapping[str, Sequence[Any]], experiment_id: str) -> dict[str, list[Any]]:
    """Return the rows of one experiment."""
    if not rows:
        return {}
    mine = [index for index, name in enumerate(rows["of"]) if name == experiment_id]
    return {name: [column[index] for index in mine] for name, column in rows.items()}
