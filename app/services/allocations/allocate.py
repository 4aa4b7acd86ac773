"""The allocation of a date: computed from the totals before it, recorded while the date is not past."""

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.schemas.allocations import Allocation
from app.services.allocations import recorded, response
from app.services.allocations.inputs import decision_inputs
from app.services.allocations.recorded import Recorded, latest_query, latest_recorded, parse_record
from app.services.delay.delay_in_force import store_evidence
from app.services.experiments import version_lock
from app.services.experiments.full_hours import hour_of, running_hour, start_of_hour
from app.services.experiments.settings_history import (
    SettingsHistory,
    history_query,
    parse_history,
    resolve_date,
)
from app.storage.pipeline import run_pipelined

INSERT_SQL = text("""
    insert into allocations (experiment_id, for_date, sequence, revision, inputs_digest, version, answer,
                             recorded_at)
    values (:experiment_id, :for_date, :sequence, :revision, :inputs_digest, :version, cast(:answer as json),
            :recorded_at)
""")


@dataclass(frozen=True, slots=True)
class ServedAllocation:
    """An answer as served: its text, and the version of the experiment it belongs to.

    Parameters
    ----------
    not_before : the first day of the settings in force, before which there is no today
    until : when the next full hour may bring another answer; None where only changes do
    computed : the allocation, where this call decided it; None where a recorded one is served
    recorded_now : whether this call recorded it
    """

    date: dt.date
    time_zone: str
    not_before: dt.date
    version: int
    body: str
    computed: Allocation | None = None
    recorded_now: bool = False
    until: dt.datetime | None = None

    @property
    def allocation(self) -> Allocation:
        """Return its fields; of a recorded one they are read from the body."""
        return self.computed or recorded.parse_body(self.body)


def allocate(
    session: Session,
    experiment_id: str,
    for_date: dt.date | None,
    now: dt.datetime,
    record: bool = True,
    recompute: bool = False,
) -> ServedAllocation:
    """Return the allocation of a date, by default today in the experiment's zone.

    Today's and tomorrow's answers are recorded when their revision is new; a past date is answered by the
    revision last in force on it, or computed where there is none. Safe to repeat: nothing recorded changes.
    Safe to race: recorders of one experiment take turns at its lock, readers of a recorded one need none.

    Parameters
    ----------
    record : False computes without recording (a read-only replica)
    recompute : compute with today's knowledge, whatever is recorded, and record nothing

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    Conflict: no variant is active on the date
    """
    state = read_state(session, experiment_id, for_date, now)
    if recompute:
        return _compute_only(session, state)
    if state.last is not None and (state.date < state.today or state.up_to_date_record):
        return state.to_allocation(state.last.body)
    if state.date >= state.today and record:
        return _record(session, state, now)
    return _compute_only(session, state)


@dataclass(frozen=True, slots=True)
class AllocationState:
    """What is known of an experiment and a date before anything is computed."""

    experiment_id: str
    history: SettingsHistory
    today: dt.date
    date: dt.date
    last: Recorded | None
    now: dt.datetime

    @property
    def hour(self) -> int | None:
        """The hour that runs, with cadence hour; never one before the last record's, whose clock may be ahead."""
        recorded_at = self.now if self.last is None else self.last.recorded_at
        return running_hour(self.history, self.date, max(self.now, recorded_at))

    @property
    def up_to_date_record(self) -> Recorded | None:
        """The revision recorded since the last change (of hours: in this one): the answer, whatever the date."""
        if self.last is None or self.last.version != self.history.version:
            return None
        return self.last if self.hour is None or hour_of(self.last.recorded_at) >= self.hour else None

    def to_allocation(
        self, body: str, computed: Allocation | None = None, recorded_now: bool = False
    ) -> ServedAllocation:
        """Return an answer that belongs to this state."""
        latest, version = self.history.latest, self.history.version
        zone, not_before = latest.settings.time_zone, latest.active_from
        hour = self.hour if self.date >= self.today else None
        until = None if hour is None else start_of_hour(hour_of(self.now) + 1)
        return ServedAllocation(self.date, zone, not_before, version, body, computed, recorded_now, until)


def read_state(
    session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime
) -> AllocationState:
    """Return what is known of an experiment and a date, today's by default, before anything is computed.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    """
    likely = for_date or now.date()  # today, where the time zone is UTC
    settings, record = run_pipelined(
        session, history_query(experiment_id), latest_query(experiment_id, likely)
    )
    history = parse_history(experiment_id, settings)
    date = resolve_date(history, for_date, now)
    last = parse_record(record) if date == likely else latest_recorded(session, experiment_id, date)
    return AllocationState(experiment_id, history, history.today(now), date, last, now)


def _record(session: Session, seen: AllocationState, now: dt.datetime) -> ServedAllocation:
    """Compute and record under the experiment's lock; what was seen before is read again if it has changed."""
    version, record = version_lock.lock_and_read(
        session, seen.experiment_id, latest_query(seen.experiment_id, seen.date)
    )
    if version != seen.history.version:
        state = read_state(session, seen.experiment_id, seen.date, now)
    else:
        state = replace(seen, last=parse_record(record))
    if state.up_to_date_record is not None:
        return state.to_allocation(state.up_to_date_record.body)
    store_evidence(session, state.experiment_id, state.history, state.date)
    allocation, digest = _compute(session, state, record=True)
    if state.last is not None and state.last.revision == allocation.revision:
        return state.to_allocation(state.last.body, allocation)
    body = allocation.to_json()
    _insert(session, state, allocation.revision, digest, body, now)
    return state.to_allocation(body, allocation, recorded_now=True)


def _insert(
    session: Session, state: AllocationState, revision: str, digest: str, body: str, now: dt.datetime
) -> None:
    row = {
        "experiment_id": state.experiment_id,
        "for_date": state.date,
        "sequence": 1 if state.last is None else state.last.sequence + 1,
        "revision": revision,
        "inputs_digest": digest,
        "version": state.history.version,
        "answer": body,
        "recorded_at": now,
    }
    session.connection().execute(INSERT_SQL, row)


def _compute_only(session: Session, state: AllocationState) -> ServedAllocation:
    allocation, _ = _compute(session, state, record=False)
    return state.to_allocation(allocation.to_json(), allocation)


def _compute(session: Session, state: AllocationState, record: bool) -> tuple[Allocation, str]:
    inputs = decision_inputs.read_inputs(
        session, state.experiment_id, state.history, state.date, summed=True, hour=state.hour
    )
    return response.build_response(inputs, _previous(session, state), record)


def _previous(session: Session, state: AllocationState) -> Allocation | None:
    """Return the answer in force last before a new one for this date."""
    if state.last is not None:
        return state.last.allocation
    return recorded.latest_before(session, state.experiment_id, state.date)
