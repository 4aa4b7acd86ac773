"""Bulk uploads of daily metrics: NDJSON or CSV of any length through COPY, in constant memory."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.errors import FieldError, GroundhogError, Invalid, NotFound
from app.schemas.fields import TableFormat
from app.schemas.metrics import BulkStored, DailyTotal, LineError, Registered
from app.services.delay.reports import known_through
from app.services.experiments import lifecycle
from app.services.experiments.settings_history import SettingsHistory, read_histories
from app.services.metrics import daily_metrics, line_parser, report_upsert, revenue_checks
from app.services.metrics.report_upsert import ReportRules
from app.settings import ServiceSettings
from app.storage.database import lift_statement_timeout

Mode = Literal["atomic", "partial"]

CREATE = text("""
    create temporary table sent (
        line bigint not null, experiment_id text not null, variant_id text not null, date date not null,
        impressions bigint not null, successes bigint not null, revenue numeric, revenue_sq numeric, as_of date
    ) on commit drop
""")
INDEX = text("create index on sent (experiment_id, variant_id, date, as_of, line desc)")
EXPERIMENTS = text("""
    with recursive named as (
        (select experiment_id from sent order by experiment_id limit 1)
        union all
        select (
            select sent.experiment_id from sent
            where sent.experiment_id > named.experiment_id order by sent.experiment_id limit 1
        ) from named where experiment_id is not null
    )
    select experiment_id collate "C" from named where experiment_id is not null order by 1
""")  # from one to the next by the index, where DISTINCT would read every line
COPY = """copy sent (line, experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq, as_of)
    from stdin"""
UPSERT = report_upsert.statements_for("""
    select experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq, as_of, line as place
    from sent where experiment_id = any(%(experiment_ids)s)
""")
COUNT = text("""
    select cast(coalesce(sum(lines), 0) as bigint) as lines, count(*) as keys from (
        select count(*) as lines from sent where experiment_id = :experiment_id group by variant_id, date, as_of
    ) as key
""")  # count(distinct (variant_id, date)) takes four times as long: it sorts records
IMPLY_AS_OF = text(f"""
    update sent
    set as_of = greatest(
        sent.date, cast(:yesterday as date),
        (
            select {known_through(":zone")} from experiment_metrics m
            where m.experiment_id = :experiment_id and m.variant_id = sent.variant_id and m.date = sent.date
        )
    )
    where experiment_id = :experiment_id and as_of is null
      and exists (select from sent one where one.experiment_id = :experiment_id and one.as_of is not null)
      and (variant_id, date) in (
          select variant_id, date from sent one
          where one.experiment_id = :experiment_id and one.as_of is not null
      )
""")  # noqa: S608  a constant
"""Lines without as_of beside lines with one: they may name the same report."""
APPEARANCE = text("""
    select variant_id from sent where experiment_id = :experiment_id group by variant_id order by min(line)
""")

CONFLICTS = text("""
    with last as (
        select distinct on (variant_id, date, as_of)
            variant_id, date, as_of, line, impressions, successes, revenue, revenue_sq
        from sent where experiment_id = :experiment_id
        order by variant_id, date, as_of, line desc
    )
    select sent.line, last.line as stored, count(*) over () as conflicts
    from sent join last using (variant_id, date)
    where sent.experiment_id = :experiment_id and sent.line <> last.line
      and sent.as_of is not distinct from last.as_of
      and (sent.impressions, sent.successes, sent.revenue, sent.revenue_sq)
          is distinct from (last.impressions, last.successes, last.revenue, last.revenue_sq)
    order by sent.line limit :cap
""")
"""Lines with a key that came again with other values; asked only where a key came again."""

TOO_LATE = ("date > :tomorrow", "date", "after tomorrow in the experiment's time zone")
BEFORE_DATE = ("as_of < date", "as_of", "before the day itself")
IN_FUTURE = ("as_of >= :tomorrow", "as_of", "after today in the experiment's time zone")
TOO_MANY = ("successes > impressions", "successes", "more successes than impressions")
TOO_SMALL = (revenue_checks.CAUCHY_SCHWARZ_SQL, "revenue_sq", "too small for so many values with that sum")
RETIRED = (
    "exists (select from variants v where v.experiment_id = sent.experiment_id"
    " and v.variant_id = sent.variant_id and sent.date > v.retired_on)",
    "date",
    "after the variant's retirement",
)
UNKNOWN_VARIANT = (
    "not exists (select from variants v where v.experiment_id = sent.experiment_id"
    " and v.variant_id = sent.variant_id)",
    "variant_id",
    "the experiment has no such variant; add it first",
)
Rule = tuple[str, str | None, str]


@dataclass
class RejectedLines:
    """The lines rejected so far, or in conflict: all of them counted, the first ``cap`` listed."""

    cap: int
    count: int = 0
    listed: list[LineError] = field(default_factory=list)

    def add(self, line: int, where: str | None, message: str) -> None:
        """Add a line that could not be read."""
        self.count += 1
        if len(self.listed) < self.cap:
            self.listed.append(LineError(line=line, field=where, message=message))

    def first(self) -> list[LineError]:
        """Return the listed errors in the order of lines."""
        return sorted(self.listed, key=lambda error: error.line)[: self.cap]


def load(
    session: Session,
    upload: BinaryIO,
    form: TableFormat,
    mode: Mode,
    now: dt.datetime,
    settings: ServiceSettings,
) -> BulkStored:
    """Store every total of an upload; ``partial`` stores the valid lines, ``atomic`` all or none.

    The last line of a key wins; with ``atomic``, another line of the same key with other values is an error, as in
    an array. Safe to repeat: what is already stored changes nothing. Safe to race: experiments are locked in the
    order of ids, as by every other writer. There is no timeout for the statements, whose time the size of the
    upload bounds, but one for the locks.

    Raises
    ------
    Invalid: a line is rejected (atomic), or the CSV's header cannot be read
    """
    rejected, conflicts = (RejectedLines(settings.bulk_errors_listed) for _ in range(2))
    registered: list[Registered] = []
    received = _copy(session, line_parser.read(upload, form, settings.max_line_bytes), rejected)
    written, superseded = report_upsert.UpsertCounts(0, 0), 0
    for experiment_id in session.scalars(EXPERIMENTS).all():
        with session.begin_nested() as savepoint:
            left, keys, new, history = _validate(
                session, experiment_id, now, settings.auto_register, rejected
            )
            if not left:
                savepoint.rollback()  # rejected lines register no experiment
        if left > keys:
            _add_conflicts(session, experiment_id, rejected if mode == "atomic" else conflicts)
        if left and (new.new or new.variants):
            registered.append(new)
        if history is None or not left or (mode == "atomic" and rejected.count):
            continue
        superseded += left - keys
        counts = report_upsert.execute(session, UPSERT, {experiment_id: ReportRules(history, now)})
        written += counts[experiment_id]
    if mode == "atomic" and rejected.count:
        raise _rejection(received, rejected)
    stored = received - rejected.count - superseded
    return BulkStored(
        received=received,
        inserted=written.inserted,
        updated=written.updated,
        unchanged=stored - written.inserted - written.updated,
        superseded=superseded,
        rejected=rejected.count,
        errors=rejected.first(),
        conflicts=conflicts.first(),
        registered=registered[: settings.bulk_errors_listed],
    )


def _copy(
    session: Session, source: Iterator[tuple[int, DailyTotal | LineError]], rejected: RejectedLines
) -> int:
    received = 0
    lift_statement_timeout(session)  # a COPY is one statement, of millions of lines
    session.execute(CREATE)
    driver = session.connection().connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(COPY) as copy:
        for number, total in source:
            received += 1
            if isinstance(total, LineError):
                rejected.add(total.line, total.field, total.message)
                continue
            copy.write_row((number, *total.__dict__.values()))
    session.execute(INDEX)
    session.execute(text("analyze sent"))
    return received


def _validate(
    session: Session, experiment_id: str, now: dt.datetime, auto_register: bool, rejected: RejectedLines
) -> tuple[int, int, Registered, SettingsHistory | None]:
    """Remove the lines that the experiment's state forbids.

    Returns
    -------
    How many lines and keys remain, what was registered for them, and the settings; None where nothing remains.
    """
    registered = Registered(experiment_id=experiment_id, new=False, variants=[])
    try:
        registered.new = lifecycle.lock_or_register(session, experiment_id, now, auto_register)
        lifecycle.claim_source(session, [experiment_id], "reported")
    except GroundhogError as error:
        _reject(session, experiment_id, ("true", "experiment_id", error.detail), now.date(), rejected)
        return 0, 0, registered, None
    history = read_histories(session, [experiment_id])[experiment_id]
    known = daily_metrics.known_variants(session, [experiment_id])[experiment_id]
    rules = [TOO_LATE, BEFORE_DATE, IN_FUTURE]
    if not history.latest.settings.late_conversions:
        rules += [TOO_MANY, TOO_SMALL]
    if any(retired_on is not None for retired_on in known.values()):
        rules.append(RETIRED)
    _reject_any(session, experiment_id, rules, history.today(now), rejected)
    registered.variants = _register_variants(
        session, experiment_id, history, known, now, auto_register, rejected
    )
    of_zone = {
        "zone": history.latest.settings.time_zone,
        "yesterday": history.today(now) - dt.timedelta(days=1),
    }
    session.execute(IMPLY_AS_OF, {"experiment_id": experiment_id, **of_zone})
    left = session.execute(COUNT, {"experiment_id": experiment_id}).one()
    return left.lines, left.keys, registered, history


def _add_conflicts(session: Session, experiment_id: str, conflicts: RejectedLines) -> None:
    """Add the lines whose key came again further down with other values."""
    rows = session.execute(CONFLICTS, {"experiment_id": experiment_id, "cap": conflicts.cap}).all()
    for row in rows:
        message = f"line {row.stored} has the same experiment, variant and date with other values"
        conflicts.listed.append(LineError(line=row.line, field=None, message=message))
    conflicts.listed = conflicts.first()
    conflicts.count += rows[0].conflicts if rows else 0


def _reject_any(
    session: Session, experiment_id: str, rules: Sequence[Rule], today: dt.date, rejected: RejectedLines
) -> None:
    """Remove the lines that violate a rule; first with one query over all of them, as usually none does."""
    violated = " or ".join(f"({condition})" for condition, _, _ in rules)
    some = text(f"select exists (select from sent where experiment_id = :experiment_id and ({violated}))")  # noqa: S608  constants of this module
    if session.scalar(some, {"experiment_id": experiment_id, "tomorrow": today + dt.timedelta(days=1)}):
        for rule in rules:
            _reject(session, experiment_id, rule, today, rejected)


def _reject(
    session: Session, experiment_id: str, rule: Rule, today: dt.date, rejected: RejectedLines
) -> None:
    condition, where, message = rule
    values = {"experiment_id": experiment_id, "tomorrow": today + dt.timedelta(days=1), "cap": rejected.cap}
    matching = f"from sent where experiment_id = :experiment_id and {condition}"
    for number in session.scalars(text(f"select line {matching} order by line limit :cap"), values):
        rejected.listed.append(LineError(line=number, field=where, message=message))
    rejected.listed = rejected.first()  # capped over all experiments
    delete = f"with gone as (delete {matching} returning 1) select count(*) from gone"  # noqa: S608  constants of this module
    rejected.count += session.execute(text(delete), values).scalar_one()


def _register_variants(
    session: Session,
    experiment_id: str,
    history: SettingsHistory,
    known: daily_metrics.RetirementDays,
    now: dt.datetime,
    auto_register: bool,
    rejected: RejectedLines,
) -> list[str]:
    """Register the variants that the lines name, in their order; where that is impossible, reject their lines."""
    named = session.scalars(APPEARANCE, {"experiment_id": experiment_id})
    new = [variant_id for variant_id in named if variant_id not in known]
    try:
        with session.begin_nested():
            daily_metrics.register_variants(session, experiment_id, new, history, now, auto_register)
    except GroundhogError as error:
        condition, where, message = UNKNOWN_VARIANT
        rule = condition, where, message if isinstance(error, NotFound) else error.detail
        _reject(session, experiment_id, rule, history.today(now), rejected)
        return []
    return new


def _rejection(received: int, rejected: RejectedLines) -> Invalid:
    errors = [FieldError(error.field or "line", error.message, error.line) for error in rejected.first()]
    return Invalid(
        f"{rejected.count} of {received} lines are rejected, so nothing was stored (mode=atomic)", errors
    )
