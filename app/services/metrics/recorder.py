"""The hot path of daily metrics: the messages that come while others are written share the next transaction."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.errors import GroundhogError
from app.schemas.metrics import DailyTotal, Stored
from app.services.access import audit_log
from app.services.access.audit_log import AuditRow
from app.services.experiments import version_lock
from app.services.experiments.settings_cache import SettingsCache
from app.services.experiments.settings_history import SettingsHistory
from app.services.metrics import daily_metrics
from app.services.metrics.daily_metrics import RetirementDays
from app.services.metrics.report_upsert import ReportRules
from app.settings import ServiceSettings
from app.storage.database import Database
from app.storage.pipeline import run_at_commit, run_pipelined
from app.storage.write_batcher import WriteBatcher

MAX_SHARED = 50
"""Totals of a message that shares a transaction; others would wait for the work that more of them are."""


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """The totals of one message, of one experiment, which the principal may access.

    Parameters
    ----------
    sent : the message as it came: one total or an array
    places : of the totals in the message
    now : the time of the request
    entry : what the audit log says of it
    """

    sent: DailyTotal | Sequence[DailyTotal]
    totals: Sequence[DailyTotal]
    places: Sequence[str]
    now: dt.datetime
    entry: AuditRow | None

    @property
    def experiment_id(self) -> str:
        """Return the experiment of all totals."""
        return self.totals[0].experiment_id


class MetricsRecorder:
    """Records daily totals for one process; between processes the experiments' locks decide."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._auto_register = settings.auto_register
        self._settings = SettingsCache()
        self._batcher: WriteBatcher[MetricsRequest, Stored] = WriteBatcher(database, self)

    async def record(self, sent: DailyTotal | Sequence[DailyTotal], now: dt.datetime) -> Stored:
        """Store the totals of a message that may share a transaction, as `daily_metrics.record` does."""
        totals, places = daily_metrics.require_access(sent)
        entry = audit_log.row_of(totals[0].experiment_id)
        return await self._batcher.run(MetricsRequest(sent, totals, places, now, entry))

    def record_alone(
        self, session: Session, sent: DailyTotal | Sequence[DailyTotal], now: dt.datetime
    ) -> Stored:
        """Store the totals of a message, all or none, in a transaction of its own."""
        return daily_metrics.record(session, sent, now, self._auto_register)

    def lock_of(self, item: MetricsRequest) -> str:
        """Return the experiment of a message."""
        return item.experiment_id

    def alone(self, session: Session, item: MetricsRequest) -> Stored:
        """Store the totals of one message."""
        stored = self.record_alone(session, item.sent, item.now)
        _write_audit(session, [item])
        return stored

    def together(
        self, session: Session, items: Sequence[MetricsRequest], wait: bool
    ) -> Sequence[Stored | GroundhogError | None]:
        """Store the totals of several messages, those of one experiment after each other.

        A message that registers an experiment or a variant, is the first one or has several reports of a day,
        needs a transaction of its own.
        """
        names = sorted({item.experiment_id for item in items})
        locked, rows = run_pipelined(
            session, version_lock.lock_several(names, wait), daily_metrics.variants_query(names)
        )
        histories = self._settings.read(session, locked)
        known = daily_metrics.parse_variants(names, rows)
        answers: list[Stored | GroundhogError | None] = [None] * len(items)
        rounds: defaultdict[str, list[int]] = defaultdict(list)
        apart: set[str] = set()
        for number, item in enumerate(items):
            history = histories.get(item.experiment_id)
            if item.experiment_id in apart:
                continue  # who comes after a message of the experiment sees what it changes
            if history is None or not _is_plain(item, history, known[item.experiment_id]):
                apart.add(item.experiment_id)
            else:
                answers[number] = _error_of(item, history, known[item.experiment_id])
                if answers[number] is None:
                    rounds[item.experiment_id].append(number)
        for turn in _turns(list(rounds.values())):
            answers_of_turn = _store(session, [items[number] for number in turn], histories)
            for number, stored in zip(turn, answers_of_turn, strict=True):
                answers[number] = stored
        _write_audit(session, [items[number] for group in rounds.values() for number in group])
        return answers


def may_share(sent: DailyTotal | Sequence[DailyTotal]) -> bool:
    """Tell whether a message is written with others: it has few totals, of one experiment."""
    if isinstance(sent, DailyTotal):
        return True
    return 0 < len(sent) <= MAX_SHARED and len({total.experiment_id for total in sent}) == 1


def _is_plain(item: MetricsRequest, history: SettingsHistory, known: RetirementDays) -> bool:
    """Tell whether a message only adds reports, of known variants, one of each day."""
    keys = {total.key for total in item.totals}
    is_known = all(total.variant_id in known for total in item.totals)
    return history.source == "reported" and is_known and len(keys) == len(item.totals)


def _error_of(item: MetricsRequest, history: SettingsHistory, known: RetirementDays) -> GroundhogError | None:
    """Return why a message is rejected, or None."""
    groups = {item.experiment_id: list(enumerate(item.totals))}
    try:
        daily_metrics.check_plausible(groups, {item.experiment_id: history}, item.now, item.places)
        daily_metrics.check_not_retired(groups, {item.experiment_id: known}, item.places)
    except GroundhogError as error:
        return error
    return None


def _turns(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the first of each group, then the second of each that has one, and so on."""
    longest = max(map(len, groups), default=0)
    return [[group[place] for group in groups if place < len(group)] for place in range(longest)]


def _store(
    session: Session, items: Sequence[MetricsRequest], histories: Mapping[str, SettingsHistory]
) -> list[Stored]:
    """Store the totals of messages of different experiments, whose locks the session holds."""
    terms = {item.experiment_id: ReportRules(histories[item.experiment_id], item.now) for item in items}
    counts = daily_metrics.upsert(session, [total for item in items for total in item.totals], terms)
    return [daily_metrics.to_stored(len(item.totals), counts[item.experiment_id], []) for item in items]


def _write_audit(session: Session, items: Sequence[MetricsRequest]) -> None:
    entries = [item.entry for item in items if item.entry is not None]
    if entries:
        run_at_commit(session, audit_log.insert_query(entries))
