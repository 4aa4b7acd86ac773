"""The allocation of a date: computed from the totals before it, recorded while the date is not past."""

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.services.allocations import decision_inputs, response
from app.services.allocations.recorded import Recorded, _asking_last, _recorded, last_recorded
from app.services.experiments import version_lock
from app.services.experiments.settings_history import (
    Timeline,
    asking,
    settled_date,
    versioned,
)
from app.storage.pipeline import together

BEFORE = text("""
    select answer from allocations
    where experiment_id = :experiment_id and for_date < :date
    order by for_date desc, sequence desc limit 1
""")
RECORD = text("""
    insert into allocations (experiment_id, for_date, sequence, revision, inputs_digest, version, answer,
                             recorded_at)
    values (:experiment_id, :for_date, :sequence, :revision, :inputs_digest, :version, cast(:answer as json),
            :recorded_at)
""")


@dataclass(frozen=True, slots=True)
class Allocation:
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
) -> Allocation:
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
    if state.last is not None and (state.date < state.today or state.recorded_as_it_is):
        return state.answered(state.last.body)
    if state.date >= state.today and record:
        return _record(session, state, now)
    return _computed(session, state)


@dataclass(frozen=True, slots=True)
class State:
    """What is known of an experiment and a date before anything is computed."""

    experiment_id: str
    version: int
    timeline: Timeline
    today: dt.date
    date: dt.date
    last: "Recorded | None"

    @property
    def recorded_as_it_is(self) -> "Recorded | None":
        """The revision that was recorded since the experiment's last change: the answer, whatever the date."""
        return self.last if self.last is not None and self.last.version == self.version else None

    def answered(self, body: str, computed: bool = False, recorded_now: bool = False) -> Allocation:
        """Return an answer that belongs to this state."""
        zone, began = self.timeline.latest.settings.time_zone, self.timeline.phases[0].active_from
        return Allocation(self.date, zone, began, self.version, body, computed, recorded_now)


def read_state(session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime) -> State:
    """Return what is known of an experiment and a date, today's by default, before anything is computed.

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    """
    likely = for_date or now.date()  # today, where the time zone is UTC
    found, recorded = together(session, asking(experiment_id), _asking_last(experiment_id, likely))
    version, timeline = versioned(experiment_id, found)
    date = settled_date(timeline, for_date, now)
    last = _recorded(recorded) if date == likely else last_recorded(session, experiment_id, date)
    return State(experiment_id, version, timeline, timeline.today(now), date, last)


def _record(session: Session, seen: State, now: dt.datetime) -> Allocation:
    """Compute and record under the experiment's lock; what was seen before is read again if it has changed."""
    asking_last = _asking_last(seen.experiment_id, seen.date)
    version, recorded = version_lock.lock_and_read(session, seen.experiment_id, asking_last)
    if version != seen.version:
        state = read_state(session, seen.experiment_id, seen.date, now)
    else:
        state = replace(seen, last=_recorded(recorded))
    if state.recorded_as_it_is is not None:
        return state.answered(state.recorded_as_it_is.body)
    last = state.last
    body, digest = _compute(session, state, recorded=True)
    revision = response.revision_of(digest)
    if last is not None and last.revision == revision:
        return state.answered(last.body, computed=True)
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
    session.connection().execute(RECORD, new)
    return state.answered(body, computed=True, recorded_now=True)


def _computed(session: Session, state: State) -> Allocation:
    body, _ = _compute(session, state, recorded=False)
    return state.answered(body, computed=True)


def _compute(session: Session, state: State, recorded: bool) -> tuple[str, str]:
    found = decision_inputs.read_inputs(session, state.experiment_id, state.timeline, state.date, summed=True)
    return response.answer(found, state.date, _recorded_before(session, state), recorded)


def _recorded_before(session: Session, state: State) -> dict[str, Any] | None:
    """Return the answer in force last before a new one for this date."""
    if state.last is not None:
        before: dict[str, Any] | None = json.loads(state.last.body)
    else:
        asked = {"experiment_id": state.experiment_id, "date": state.date}
        before = session.connection().scalar(BEFORE, asked)
    return before
