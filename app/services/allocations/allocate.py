"""The allocation of a date: computed from the totals before it, recorded while the date is not past."""

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.services.allocations import decision_inputs, response
from app.services.allocations.recorded import Recorded, latest_query, latest_recorded, parse_record
from app.services.experiments import version_lock
from app.services.experiments.settings_history import (
    SettingsHistory,
    history_query,
    parse_history,
    resolve_date,
)
from app.storage.pipeline import run_pipelined

PREVIOUS_SQL = text("""
    select answer from allocations
    where experiment_id = :experiment_id and for_date < :date
    order by for_date desc, sequence desc limit 1
""")
INSERT_SQL = text("""
    insert into allocations (experiment_id, for_date, sequence, revision, inputs_digest, version, answer,
                             recorded_at)
    values (:experiment_id, :for_date, :sequence, :revision, :inputs_digest, :version, cast(:answer as json),
            :recorded_at)
""")


@dataclass(frozen=True, slots=True)
class ServedAllocation:
    """An answer as served: its bytes, and the version of the experiment it belongs to.

    ``began`` is the experiment's first day, before which there is no today.
    """

    date: dt.date
    time_zone: str
    began: dt.date
    version: int
    body: str
    computed: bool = False
    recorded_now: bool = False


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
    Safe to race: recorders of one experiment take their turns at its lock, readers of a recorded one need none.

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
        return _computed(session, state)
    if state.last is not None and (state.date < state.today or state.up_to_date_record):
        return state.to_allocation(state.last.body)
    if state.date >= state.today and record:
        return _record(session, state, now)
    return _computed(session, state)


@dataclass(frozen=True, slots=True)
class AllocationState:
    """What is known of an experiment and a date before anything is computed."""

    experiment_id: str
    version: int
    history: SettingsHistory
    today: dt.date
    date: dt.date
    last: "Recorded | None"

    @property
    def up_to_date_record(self) -> "Recorded | None":
        """The revision that was recorded since the experiment's last change: the answer, whatever the date."""
        return self.last if self.last is not None and self.last.version == self.version else None

    def to_allocation(
        self, body: str, computed: bool = False, recorded_now: bool = False
    ) -> ServedAllocation:
        """Return an answer that belongs to this state."""
        zone, began = self.history.latest.settings.time_zone, self.history.periods[0].active_from
        return ServedAllocation(self.date, zone, began, self.version, body, computed, recorded_now)


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
    found, recorded = run_pipelined(
        session, history_query(experiment_id), latest_query(experiment_id, likely)
    )
    version, timeline = parse_history(experiment_id, found)
    date = resolve_date(timeline, for_date, now)
    last = parse_record(recorded) if date == likely else latest_recorded(session, experiment_id, date)
    return AllocationState(experiment_id, version, timeline, timeline.today(now), date, last)


def _record(session: Session, seen: AllocationState, now: dt.datetime) -> ServedAllocation:
    """Compute and record under the experiment's lock; what was seen before is read again if it has changed."""
    asking_last = latest_query(seen.experiment_id, seen.date)
    version, recorded = version_lock.lock_and_read(session, seen.experiment_id, asking_last)
    if version != seen.version:
        state = read_state(session, seen.experiment_id, seen.date, now)
    else:
        state = replace(seen, last=parse_record(recorded))
    if state.up_to_date_record is not None:
        return state.to_allocation(state.up_to_date_record.body)
    last = state.last
    body, digest = _compute(session, state, recorded=True)
    revision = response.revision_of(digest)
    if last is not None and last.revision == revision:
        return state.to_allocation(last.body, computed=True)
    new = {
        "experiment_id": state.experiment_id,
        "for_date": state.date,
        "sequence": 1 if last is None else last.sequence + 1,
        "revision": revision,
        "inputs_digest": digest,
        "version": state.version,
        "answer": body,
        "recorded_at": now,
    }
    session.connection().execute(INSERT_SQL, new)
    return state.to_allocation(body, computed=True, recorded_now=True)


def _computed(session: Session, state: AllocationState) -> ServedAllocation:
    body, _ = _compute(session, state, recorded=False)
    return state.to_allocation(body, computed=True)


def _compute(session: Session, state: AllocationState, recorded: bool) -> tuple[str, str]:
    found = decision_inputs.read_inputs(session, state.experiment_id, state.history, state.date, summed=True)
    return response.build_response(found, state.date, _previous_answer(session, state), recorded)


def _previous_answer(session: Session, state: AllocationState) -> dict[str, Any] | None:
    """Return the answer in force last before a new one for this date."""
    if state.last is not None:
        before: dict[str, Any] | None = json.loads(state.last.body)
    else:
        asked = {"experiment_id": state.experiment_id, "date": state.date}
        before = session.connection().scalar(PREVIOUS_SQL, asked)
    return before
