"""The statement that stores reports of daily totals: a day's newest is in force, the others are its history."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from app.services.delay.delay_in_force import oldest_age
from app.services.delay.reports import COHORT_DAYS, PACKED, known_through
from app.services.experiments.settings_history import SettingsHistory


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """How many reports an upsert inserted and how many it replaced."""

    inserted: int
    updated: int

    def __add__(self, other: "UpsertCounts") -> "UpsertCounts":
        return UpsertCounts(self.inserted + other.inserted, self.updated + other.updated)


@dataclass(frozen=True, slots=True)
class ReportStatements:
    """What stores reports: an upsert, and where it corrected earlier ones what packs those of their days anew."""

    upsert: TextClause
    repack: TextClause


def statements_for(select_rows: str) -> ReportStatements:
    """Return the statements that store the reports of a query."""
    return ReportStatements(upsert_reports_from(select_rows), repack_days_of(select_rows))


def repack_days_of(select_rows: str) -> TextClause:
    """Return the statement that packs the earlier reports of the days of a query into ``reports_by_day``."""
    return text(f"""
        insert into reports_by_day as stored (experiment_id, date, variant_id, reports)
        select experiment_id, date, variant_id, string_agg({PACKED}, '' order by as_of)
        from metric_snapshots
        where experiment_id = :experiment_id and as_of - date < {COHORT_DAYS}
          and (variant_id, date) in (select variant_id, date from ({select_rows}) of_days)
        group by experiment_id, date, variant_id
        on conflict (experiment_id, date, variant_id) do update set reports = excluded.reports
    """)  # noqa: S608  select_rows is a constant of this application


def upsert_reports_from(select_rows: str) -> TextClause:
    """Return the statement that stores the reports of a query, counts both, and increments the version.

    The rows have variant_id, date, impressions, successes, revenue, revenue_sq, as_of and place: of two with the
    same as_of the one with the larger place counts. Without as_of a report is known through yesterday, its date or
    the as_of in force, whichever is latest. A report known through a later day than the one in force, or the same,
    replaces it; the replaced one, and a report known through an earlier day, become snapshots. A report of what is
    stored changes nothing, unless it says that nothing came since, at an age that conversions still come at.
    """
    return text(f"""
        with received as ({select_rows}), resolved as (
            select distinct on (variant_id, date, known_through) *
            from (
                select received.*, there.impressions as impressions_0, there.successes as successes_0,
                       there.revenue as revenue_0, there.revenue_sq as revenue_sq_0, there.in_force,
                       coalesce(received.as_of, greatest(received.date, cast(:yesterday as date), there.in_force))
                           as known_through
                from received
                left join (
                    select m.variant_id, m.date, m.impressions, m.successes, m.revenue, m.revenue_sq,
                           {known_through(":zone")} as in_force
                    from experiment_metrics m where m.experiment_id = :experiment_id
                ) there on there.variant_id = received.variant_id and there.date = received.date
            ) sent
            order by variant_id, date, known_through, place desc
        ), judged as (
            select *, in_force is null as is_new,
                   (in_force is null or known_through >= in_force)
                       and known_through = max(known_through) over day as newest,
                   coalesce(bool_or(known_through = in_force) over day, false) as sent_again,
                   (impressions, successes, revenue, revenue_sq)
                       is distinct from (impressions_0, successes_0, revenue_0, revenue_sq_0) as differs
            from resolved
            window day as (partition by variant_id, date)
        ), written as (
            insert into experiment_metrics as stored
                (experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
                 times_written, created_at, updated_at, as_of)
            select :experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
                   1, :now, :now, known_through
            from judged
            where newest and (is_new or differs or (known_through > in_force and in_force < date + :max_days))
            on conflict (experiment_id, variant_id, date) do update set
                impressions = excluded.impressions,
                successes = excluded.successes,
                revenue = excluded.revenue,
                revenue_sq = excluded.revenue_sq,
                times_written = stored.times_written + 1,
                updated_at = excluded.updated_at,
                as_of = excluded.as_of
            returning 1
        ), history as (
            insert into metric_snapshots as stored
                (experiment_id, variant_id, date, as_of, impressions, successes, revenue, revenue_sq)
            select :experiment_id, variant_id, date, known_through, impressions, successes, revenue, revenue_sq
            from judged where not newest
            union all
            select :experiment_id, variant_id, date, in_force,
                   impressions_0, successes_0, revenue_0, revenue_sq_0
            from judged
            where newest and known_through > in_force and not sent_again
              and (differs or in_force < date + :max_days)
            on conflict (experiment_id, variant_id, date, as_of) do update set
                impressions = excluded.impressions,
                successes = excluded.successes,
                revenue = excluded.revenue,
                revenue_sq = excluded.revenue_sq
            where (stored.impressions, stored.successes, stored.revenue, stored.revenue_sq)
                is distinct from
                (excluded.impressions, excluded.successes, excluded.revenue, excluded.revenue_sq)
            returning variant_id, date, as_of, impressions, successes
        ), packed as (
            insert into reports_by_day as stored (experiment_id, date, variant_id, reports)
            select :experiment_id, date, variant_id, string_agg({PACKED}, '' order by as_of)
            from history where as_of - date < {COHORT_DAYS} group by date, variant_id
            on conflict (experiment_id, date, variant_id) do update
                set reports = stored.reports || excluded.reports
        ), outdated as (
            delete from delay_evidence where experiment_id = :experiment_id and date in (select date from judged)
        ), bumped as (
            update experiment_versions set version = version + 1
            where experiment_id = :experiment_id
              and (exists (select from written) or exists (select from history))
        ), compared as (
            select not newest and known_through <> in_force as of_history,
                   case when newest or known_through = in_force then is_new else earlier.date is null end as added,
                   case when newest or known_through = in_force then differs
                        else (judged.impressions, judged.successes, judged.revenue, judged.revenue_sq)
                            is distinct from
                            (earlier.impressions, earlier.successes, earlier.revenue, earlier.revenue_sq)
                   end as changed
            from judged
            left join lateral (
                select * from metric_snapshots
                where experiment_id = :experiment_id and not judged.newest and variant_id = judged.variant_id
                  and date = judged.date and as_of = judged.known_through
                limit 1
            ) earlier on true
        )
        select count(*) filter (where added) as inserted,
               count(*) filter (where changed and not added) as updated,
               count(*) filter (where changed and not added and of_history) as corrected
        from compared
    """)  # noqa: S608  select_rows is a constant of this package


def execute(
    session: Session,
    statements: ReportStatements,
    experiment_id: str,
    history: SettingsHistory,
    now: dt.datetime,
    **rows: Any,
) -> UpsertCounts:
    """Store the reports of one experiment, whose lock the caller holds."""
    settings = history.latest.settings
    values = {
        "experiment_id": experiment_id,
        "now": now,
        "yesterday": history.today(now) - dt.timedelta(days=1),
        "zone": settings.time_zone,
        "max_days": oldest_age(settings, tracked=False),
    }
    row = session.execute(statements.upsert, values | rows).one()
    if row.corrected:
        session.execute(statements.repack, values | rows)
    return UpsertCounts(row.inserted, row.updated)
