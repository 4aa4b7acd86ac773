"""Events of assigned units: each taken once, rolled up into daily totals in the same transaction."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound
from app.schemas.events import REASONS, EventIn, EventResult, EventsResult
from app.services.access import principal
from app.services.assignments.feature_flags import find_flags
from app.services.assignments.stored_assignments import ERASED_PREFIX
from app.services.events import event_queries, first_exposures
from app.services.events.rollup import EventOutcome, IngestRules, RollUp, StoredEvent, all_rejected, roll_up
from app.services.experiments import lifecycle, version_lock
from app.services.experiments.settings_cache import SettingsCache
from app.services.experiments.settings_history import SettingsHistory
from app.storage.pipeline import run_pipelined

UNKNOWN_EXPERIMENT = EventOutcome("refused", "unknown_experiment")


@dataclass(frozen=True, slots=True)
class EventsRequest:
    """The events of one request, whose experiments the principal may access.

    Parameters
    ----------
    now : the time of the request
    loaded : whether the events are loaded afterwards, and count as received when they happened
    flags_only : whether the principal may only evaluate flags: to it no other experiment exists
    """

    events: Sequence[EventIn]
    now: dt.datetime
    loaded: bool = False
    flags_only: bool = False


def sent_events(sent: EventIn | Sequence[EventIn], now: dt.datetime, loaded: bool) -> EventsRequest:
    """Return the events of the current request.

    Raises
    ------
    Forbidden: an experiment outside the prefix of the API key
    """
    events = [sent] if isinstance(sent, EventIn) else sent
    places = ["body"] if isinstance(sent, EventIn) else [f"body.{index}" for index in range(len(events))]
    principal.require_access_to_all(
        (f"{place}.experiment_id", event.experiment_id) for place, event in zip(places, events, strict=True)
    )
    return EventsRequest(events, now, loaded, not principal.current_principal.get().has_scope("report"))


def to_result(sent: EventIn | Sequence[EventIn], outcomes: Sequence[EventOutcome]) -> EventsResult:
    """Return what became of the events of the current request.

    Raises
    ------
    NotFound: a single event of an experiment that does not exist
    Conflict: a single event of an experiment whose totals are reported
    """
    events = [sent] if isinstance(sent, EventIn) else sent
    if isinstance(sent, EventIn):
        _check_place(sent, outcomes[0])
    counts = Counter(outcome.status for outcome in outcomes)
    return EventsResult(
        received=len(events),
        counted=counts["counted"],
        known=counts["known"],
        duplicate=counts["duplicate"],
        refused=counts["refused"],
        items=[_result(event, outcome) for event, outcome in zip(events, outcomes, strict=True)],
    )


def _check_place(event: EventIn, outcome: EventOutcome) -> None:
    if outcome.reason == "unknown_experiment":
        if not principal.current_principal.get().has_scope("report"):
            raise NotFound(f"there is no flag {event.experiment_id!r}")
        raise NotFound(f"there is no experiment {event.experiment_id!r}; create it with POST /experiments")
    if outcome.reason == "reported_totals":
        raise Conflict(
            f"the totals of experiment {event.experiment_id!r} are reported:"
            f" {lifecycle.SOURCE_HINTS['reported']}"
        )


def _result(event: EventIn, outcome: EventOutcome) -> EventResult:
    detail = None if outcome.reason is None else REASONS[outcome.reason]
    if outcome.other_unit is not None and not outcome.other_unit.startswith(ERASED_PREFIX):
        detail = "this event_id was taken for another unit"
        if principal.current_principal.get().has_scope("report"):
            detail += f", {outcome.other_unit!r}"
    return EventResult(
        event_id=event.event_id,
        status=outcome.status,
        reason=outcome.reason,
        detail=detail,
        counted_on=outcome.counted_on,
    )


@dataclass(frozen=True, slots=True)
class _ExperimentEvents:
    """The events of one request and one experiment, with their places in the request."""

    request: EventsRequest
    outcomes: list[EventOutcome]
    places: list[int] = field(default_factory=list)

    @property
    def events(self) -> list[EventIn]:
        """Return the events."""
        return [self.request.events[place] for place in self.places]

    def answer(self, outcomes: Iterator[EventOutcome]) -> None:
        """Put what became of the events into the answer of their request."""
        for place in self.places:
            self.outcomes[place] = next(outcomes)


Parts = dict[str, list[_ExperimentEvents]]
"""By experiment, in the order of their ids: no two writers wait for each other."""


def take(
    session: Session, requests: Sequence[EventsRequest], settings: SettingsCache, salt: str
) -> list[list[EventOutcome]]:
    """Take the events of some requests, as if one request after the other, and return what became of each.

    Safe to repeat: an event is known by its id and counts once. Safe to race: events of one experiment take their
    turns at its lock, and are stored in the transaction that counts them.

    Parameters
    ----------
    salt : of the draws (mode rendezvous)
    """
    answers = [[UNKNOWN_EXPERIMENT] * len(request.events) for request in requests]
    parts = _parts(session, requests, answers)
    _take(session, parts, settings, salt, wait=True)
    return answers


def take_unlocked(
    session: Session, requests: Sequence[EventsRequest], settings: SettingsCache, salt: str
) -> list[list[EventOutcome] | None]:
    """Take like ``take``, of one experiment each, but wait for no lock: None answers who would have to."""
    answers = [[UNKNOWN_EXPERIMENT] * len(request.events) for request in requests]
    parts = _parts(session, requests, answers)
    busy = _take(session, parts, settings, salt, wait=False)
    return [
        None if request.events[0].experiment_id in busy else answer
        for request, answer in zip(requests, answers, strict=True)
    ]


def _parts(
    session: Session, requests: Sequence[EventsRequest], answers: Sequence[list[EventOutcome]]
) -> Parts:
    """Return the events by experiment, without those whose experiments do not exist to their principals."""
    named = {event.experiment_id for one in requests if one.flags_only for event in one.events}
    flags = find_flags(session, named) if named else set()
    parts: defaultdict[str, list[_ExperimentEvents]] = defaultdict(list)
    for request, answer in zip(requests, answers, strict=True):
        own: dict[str, _ExperimentEvents] = {}
        for place, event in enumerate(request.events):
            if not request.flags_only or event.experiment_id in flags:
                own.setdefault(event.experiment_id, _ExperimentEvents(request, answer)).places.append(place)
        for experiment_id, part in own.items():
            parts[experiment_id].append(part)
    return dict(sorted(parts.items()))


def _take(session: Session, parts: Parts, settings: SettingsCache, salt: str, wait: bool) -> set[str]:
    """Take the events whose experiments can be locked; return those that others hold."""
    events = [event for group in parts.values() for part in group for event in part.events]
    locked, rows = run_pipelined(
        session, version_lock.lock_several(list(parts), wait), event_queries.read_query(events)
    )
    known = iter(event_queries.parse_known(rows))
    histories = settings.read(session, locked)
    found: list[tuple[str, RollUp]] = []
    for experiment_id, group in parts.items():
        of_group = list(islice(known, sum(len(part.places) for part in group)))
        if experiment_id in histories:
            history = histories[experiment_id]
            taken = _judge(session, experiment_id, group, of_group, history, salt)
            found.append((experiment_id, taken))
            outcomes = iter(taken.outcomes)
            for part in group:
                part.answer(outcomes)
    first = [name for name, taken in found if taken.accepted and histories[name].source is None]
    if first:
        lifecycle.claim_source(session, first, "tracked")
    busy = set() if wait else version_lock.held_by_others(session, parts.keys() - histories.keys())
    event_queries.write(session, found)
    return busy


def _judge(
    session: Session,
    experiment_id: str,
    parts: Sequence[_ExperimentEvents],
    known: Sequence[StoredEvent],
    history: SettingsHistory,
    salt: str,
) -> RollUp:
    """Return what events of one experiment change; draws of first exposures are stored."""
    if history.source == "reported":
        return all_rejected((event for part in parts for event in part.events), "reported_totals")
    settings = history.latest.settings
    window = dt.timedelta(days=settings.reward_window_days)

    def judge() -> RollUp:
        found, stored = RollUp(), iter(known)
        for part in parts:
            rules = IngestRules(part.request.now, window, history, part.request.loaded)
            of_part = list(islice(stored, len(part.places)))
            if settings.assignment_mode == "rendezvous" and any(one.unit is None for one in of_part):
                of_part = first_exposures.bucket(
                    session, experiment_id, part.events, of_part, history, rules, salt
                )
            roll_up(part.events, of_part, rules, found)
        return found

    while not first_exposures.store(session, found := judge()):
        # a unit was given an assignment meanwhile, which stays: judge by that one
        known = event_queries.read(session, [event for part in parts for event in part.events])
    return found
