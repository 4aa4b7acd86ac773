"""Events of assigned units: each taken once, rolled up into daily totals in the same transaction."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound
from app.schemas.events import REASONS, EventIn, EventResult, EventsResult
from app.services.access import principal
from app.services.assignments.feature_flags import find_flags
from app.services.assignments.stored_assignments import ERASED_PREFIX
from app.services.events import event_queries, first_exposures
from app.services.events.rollup import EventOutcome, IngestRules, RollUp, all_rejected, roll_up
from app.services.experiments import lifecycle, version_lock
from app.services.experiments.settings_history import SettingsHistory, read_histories


def ingest(
    session: Session,
    sent: EventIn | Sequence[EventIn],
    salt: str,
    now: dt.datetime,
    history: bool = False,
) -> EventsResult:
    """Take events, one or several, and say of each what became of it.

    Safe to repeat: an event is known by its id and counts once. Safe to race: events of one experiment take their
    turns at its lock, and are stored in the transaction that counts them.

    Parameters
    ----------
    salt : of the draws (mode rendezvous)
    history : whether the events are loaded afterwards, and count as received when they happened

    Raises
    ------
    NotFound: a single event of an experiment that does not exist
    Conflict: a single event of an experiment whose totals are reported
    Forbidden: an experiment outside the prefix of the API key
    """
    events = [sent] if isinstance(sent, EventIn) else sent
    places = ["body"] if isinstance(sent, EventIn) else [f"body.{index}" for index in range(len(events))]
    principal.require_access_to_all(
        (f"{place}.experiment_id", event.experiment_id) for place, event in zip(places, events, strict=True)
    )
    outcomes = _outcomes(session, events, salt, now, history)
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


def _outcomes(
    session: Session, events: Sequence[EventIn], salt: str, now: dt.datetime, loaded: bool
) -> list[EventOutcome]:
    """Take the events experiment by experiment, in the order of their ids: no two writers wait for each other.

    To a key that may only evaluate flags, no other experiment exists.
    """
    numbered = sorted(enumerate(events), key=lambda item: item[1].experiment_id)
    groups = {name: list(group) for name, group in groupby(numbered, key=lambda item: item[1].experiment_id)}
    allowed = list(groups)
    if not principal.current_principal.get().has_scope("report"):
        flags = find_flags(session, groups)
        allowed = [experiment_id for experiment_id in groups if experiment_id in flags]
    for experiment_id in allowed:
        version_lock.try_lock(session, experiment_id)
    histories = read_histories(session, allowed)
    outcomes = [EventOutcome("refused")] * len(events)
    first_totals = []
    for experiment_id, group in groups.items():
        of_experiment, history = [event for _, event in group], histories.get(experiment_id)
        if history is None:
            found = all_rejected(of_experiment, "unknown_experiment")
        elif history.source == "reported":
            found = all_rejected(of_experiment, "reported_totals")
        else:
            found = _ingest(session, experiment_id, of_experiment, history, salt, now, loaded)
            if found.accepted and history.source is None:
                first_totals.append(experiment_id)
        for (index, _), outcome in zip(group, found.outcomes, strict=True):
            outcomes[index] = outcome
    lifecycle.claim_source(session, first_totals, "tracked")
    return outcomes


def _ingest(
    session: Session,
    experiment_id: str,
    events: Sequence[EventIn],
    history: SettingsHistory,
    salt: str,
    now: dt.datetime,
    loaded: bool,
) -> RollUp:
    settings = history.latest.settings
    window = dt.timedelta(days=settings.reward_window_days)
    rules = IngestRules(now, window, history, loaded)

    def judge() -> RollUp:
        known = event_queries.read(session, experiment_id, events)
        if settings.assignment_mode == "rendezvous" and any(one.unit is None for one in known):
            known = first_exposures.bucket(session, experiment_id, events, known, history, rules, salt)
        return roll_up(events, known, rules)

    while not first_exposures.store(session, found := judge()):
        pass  # a unit was given an assignment meanwhile, which stays: judge by that one
    event_queries.write(session, experiment_id, found, now)
    return found
