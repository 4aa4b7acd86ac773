"""What events do to units and to daily totals: the rules, without a database.

A unit's first exposure is an impression of the day it happened on, its first reward a success, its values add up;
successes and values are credited to the day of the exposure, whenever they come.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal, localcontext

from app.schemas.events import EventIn, Reason, Status
from app.services.experiments.full_hours import hour_of
from app.services.experiments.settings_history import SettingsHistory
from app.storage.assignments import AssignmentKind, AssignmentRow

CLOCK_SKEW = dt.timedelta(minutes=5)
"""How far a client's clock may be off before its times are rejected."""

EXACT = Context(prec=200)
"""For squares of sums of amounts of up to 1e24, rounded to 12 decimals."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """An assigned unit and what it did so far.

    Parameters
    ----------
    retired_on : when its variant retired
    draw : its assignment where none is stored yet; the unit's first event that counts stores it
    """

    unit_id: str
    variant_id: str
    kind: AssignmentKind
    assigned_at: dt.datetime
    retired_on: dt.date | None = None
    exposed_at: dt.datetime | None = None
    exposed_on: dt.date | None = None
    converted_at: dt.datetime | None = None
    value: Decimal | None = None
    draw: AssignmentRow | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """What is stored about an event that was sent: the unit it was taken for before, and the unit it is of.

    ``missing`` says why there is no unit, where there is none.
    """

    accepted_for: str | None
    unit: UnitState | None
    missing: Reason = "unknown_unit"


@dataclass(frozen=True, slots=True)
class IngestRules:
    """By what the events of an experiment are judged.

    Parameters
    ----------
    history : of the experiment's settings, which says what day of the experiment a moment belongs to
    loaded : whether the events are loaded afterwards: what happened long ago was received then
    """

    now: dt.datetime
    reward_window: dt.timedelta
    history: SettingsHistory
    loaded: bool = False

    @property
    def by_hour(self) -> bool:
        """Return whether totals are counted by hour, too."""
        return self.history.latest.settings.cadence == "hour"

    def day(self, moment: dt.datetime) -> dt.date:
        """Return the experiment's day at a moment."""
        return self.history.day_at(moment, self.now)

    def moment(self, event: EventIn) -> dt.datetime:
        """Return when an event happened: now at the latest, whatever the clock of its sender says."""
        return min(event.occurred_at or self.now, self.now)

    def received_on(self, moment: dt.datetime, date: dt.date) -> dt.date:
        """Return the day on which an event of a moment became known: never before the date it counts for."""
        return max(self.day(moment if self.loaded else self.now), date)

    def received_hour(self, moment: dt.datetime, hour: int) -> int:
        """Return the hour in which an event of a moment became known: never before the hour it counts for."""
        return max(hour_of(moment if self.loaded else self.now), hour)

    def in_future(self, event: EventIn) -> bool:
        """Say whether an event claims to happen later than any clock could be off."""
        return event.occurred_at is not None and event.occurred_at > self.now + CLOCK_SKEW


@dataclass(slots=True)
class TotalsDelta:
    """What is added to the totals of a day."""

    impressions: int = 0
    successes: int = 0
    revenue: Decimal = Decimal(0)
    revenue_sq: Decimal = Decimal(0)

    def add(self, more: "TotalsDelta") -> None:
        """Add what something else changes."""
        with localcontext(EXACT):
            self.impressions += more.impressions
            self.successes += more.successes
            self.revenue += more.revenue
            self.revenue_sq += more.revenue_sq


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """What became of an event."""

    status: Status
    reason: Reason | None = None
    counted_on: dt.date | None = None
    other_unit: str | None = None


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """An event to be stored: it was counted, or it was known and changed nothing."""

    event: EventIn
    unit_id: str
    occurred_at: dt.datetime
    counted_on: dt.date | None


@dataclass(slots=True)
class RollUp:
    """What the events of one experiment in one request change.

    Parameters
    ----------
    outcomes : one per event, in the order sent
    accepted : the events to be stored
    units : the units that changed, as they are afterwards
    totals : what is added, by variant, day of first exposure and day of reception
    hours : the same by hours, of an experiment of cadence hour
    held_out : what is added to the hold-out's totals, by day of first exposure
    """

    outcomes: list[EventOutcome]
    accepted: list[AcceptedEvent] = field(default_factory=list)
    units: dict[str, UnitState] = field(default_factory=dict)
    totals: dict[tuple[str, dt.date, dt.date], TotalsDelta] = field(default_factory=dict)
    hours: dict[tuple[str, int, int], TotalsDelta] = field(default_factory=dict)
    held_out: dict[dt.date, TotalsDelta] = field(default_factory=dict)


def roll_up(events: Sequence[EventIn], known: Sequence[StoredEvent], rules: IngestRules) -> RollUp:
    """Return what some events change, given what is stored about each.

    Exposures come first, then each event in the order of its time: what a batch changes does not depend on the
    order in which it was put together.
    """
    moments = [rules.moment(event) for event in events]
    found = RollUp([EventOutcome("refused")] * len(events))
    taken_for: dict[str, str] = {}
    for i in sorted(range(len(events)), key=lambda i: (events[i].type != "exposure", moments[i])):
        event, now_known = events[i], _now_known(known[i], events[i], found, taken_for)
        found.outcomes[i] = outcome = _classify(event, moments[i], now_known, rules)
        unit = now_known.unit
        if unit is not None and outcome.status in ("counted", "known"):
            taken_for[event.event_id] = unit.unit_id
            found.accepted.append(AcceptedEvent(event, unit.unit_id, moments[i], outcome.counted_on))
        if unit is not None and outcome.counted_on is not None:
            _count(found, unit, event, moments[i], outcome.counted_on, rules)
    return found


def _now_known(
    known: StoredEvent, event: EventIn, found: RollUp, taken_for: Mapping[str, str]
) -> StoredEvent:
    """Return what is known of an event after those before it in the batch, which may have given it its unit."""
    unit_id = event.unit_id if known.unit is None else known.unit.unit_id
    unit = found.units.get(unit_id, known.unit)
    return replace(known, accepted_for=known.accepted_for or taken_for.get(event.event_id), unit=unit)


def _classify(event: EventIn, moment: dt.datetime, known: StoredEvent, rules: IngestRules) -> EventOutcome:
    """Say what becomes of an event; the first reason to reject it is the one reported."""
    unit = known.unit
    if known.accepted_for is not None:
        own = {event.unit_id} if unit is None else {event.unit_id, unit.unit_id}
        return EventOutcome("duplicate", other_unit=None if known.accepted_for in own else known.accepted_for)
    if rules.in_future(event):
        return EventOutcome("refused", "in_future")
    if unit is None:
        return EventOutcome("refused", known.missing)
    if unit.kind == "forced":
        return EventOutcome("refused", "forced")
    if _retired(unit, rules.day(moment)):
        return EventOutcome("refused", "retired_variant")
    if event.type == "exposure":
        return _classify_exposure(moment, unit, rules)
    return _classify_reward(event, moment, unit, rules)


def _retired(unit: UnitState, date: dt.date) -> bool:
    """Say whether a unit's variant was gone on a date; to the hold-out it does not matter which is the control.

    Of the day it retired on it is not known at which hour: that day still counts.
    """
    return unit.kind != "holdout" and unit.retired_on is not None and date > unit.retired_on


def _classify_exposure(moment: dt.datetime, unit: UnitState, rules: IngestRules) -> EventOutcome:
    if moment < unit.assigned_at - CLOCK_SKEW:
        return EventOutcome("refused", "before_assignment")
    if unit.exposed_on is not None:
        return EventOutcome("known")
    return EventOutcome("counted", counted_on=rules.day(moment))


def _classify_reward(
    event: EventIn, moment: dt.datetime, unit: UnitState, rules: IngestRules
) -> EventOutcome:
    if unit.exposed_at is None:
        return EventOutcome("refused", "no_exposure")
    if moment < unit.exposed_at - CLOCK_SKEW:
        return EventOutcome("refused", "before_exposure")
    if moment > unit.exposed_at + rules.reward_window:
        return EventOutcome("refused", "too_late")
    if event.type == "conversion" and unit.converted_at is not None:
        return EventOutcome("known")
    return EventOutcome("counted", counted_on=unit.exposed_on)


def _count(
    found: RollUp,
    unit: UnitState,
    event: EventIn,
    moment: dt.datetime,
    day: dt.date,
    rules: IngestRules,
) -> None:
    """Add what an event changes of its unit to the totals of the unit's day."""
    after = _after(unit, event, moment, day)
    change = _difference(unit, after)
    if unit.kind == "holdout":
        found.held_out.setdefault(day, TotalsDelta()).add(change)
    else:
        received_on = rules.received_on(moment, day)
        found.totals.setdefault((unit.variant_id, day, received_on), TotalsDelta()).add(change)
        if rules.by_hour:
            hour = hour_of(after.exposed_at or moment)
            key = unit.variant_id, hour, rules.received_hour(moment, hour)
            found.hours.setdefault(key, TotalsDelta()).add(change)
    found.units[unit.unit_id] = after


def _difference(before: UnitState, after: UnitState) -> TotalsDelta:
    """Return what a change of a unit adds to the totals of its cohort."""
    before_value, value = before.value or Decimal(0), after.value or Decimal(0)
    with localcontext(EXACT):
        return TotalsDelta(
            impressions=int(before.exposed_on is None),
            successes=int(before.converted_at is None and after.converted_at is not None),
            revenue=value - before_value,
            revenue_sq=value * value - before_value * before_value,
        )


def _after(unit: UnitState, event: EventIn, moment: dt.datetime, day: dt.date) -> UnitState:
    """Return a unit as an event leaves it; a value counts as a conversion, too."""
    if event.type == "exposure":
        return replace(unit, exposed_at=moment, exposed_on=day)
    with localcontext(EXACT):
        value = unit.value if event.value is None else (unit.value or Decimal(0)) + event.value
    return replace(unit, converted_at=unit.converted_at or moment, value=value)


def all_rejected(events: Iterable[EventIn], reason: Reason) -> RollUp:
    """Return the roll-up of events of an experiment that takes none."""
    return RollUp([EventOutcome("refused", reason) for _ in events])
