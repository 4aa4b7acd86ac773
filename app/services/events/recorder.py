"""The hot path of events: the requests that come while others are written share the next transaction."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.schemas.events import EventIn, EventsResult
from app.services.events import ingest
from app.services.events.ingest import EventsRequest
from app.services.events.rollup import EventOutcome
from app.services.experiments.settings_cache import SettingsCache
from app.settings import ServiceSettings
from app.storage.database import Database
from app.storage.write_batcher import WriteBatcher

MAX_SHARED = 20
"""Events of a request that shares a transaction; others would wait for the work that more of them are."""

Outcomes = list[EventOutcome]


class EventRecorder:
    """Records events for one process; between processes the experiments' locks decide."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._salt = settings.assignment_salt
        self._settings = SettingsCache()
        self._batcher: WriteBatcher[EventsRequest, Outcomes] = WriteBatcher(database, self)

    async def record(self, sent: EventIn | Sequence[EventIn], now: dt.datetime, loaded: bool) -> EventsResult:
        """Record the events of a request that may share a transaction, and say of each what became of it.

        Parameters
        ----------
        loaded : whether the events are loaded afterwards, and count as received when they happened

        Raises
        ------
        NotFound, Conflict, Forbidden, Unavailable: as of ``record_alone``
        """
        outcomes = await self._batcher.run(ingest.sent_events(sent, now, loaded))
        return ingest.to_result(sent, outcomes)

    def record_alone(
        self, session: Session, sent: EventIn | Sequence[EventIn], now: dt.datetime, loaded: bool
    ) -> EventsResult:
        """Record the events of a request in a transaction of its own.

        Raises
        ------
        NotFound: a single event of an experiment that does not exist
        Conflict: a single event of an experiment whose totals are reported
        Forbidden: an experiment outside the prefix of the API key
        """
        return ingest.to_result(sent, self.alone(session, ingest.sent_events(sent, now, loaded)))

    def lock_of(self, item: EventsRequest) -> str:
        """Return the experiment of a request."""
        return item.events[0].experiment_id

    def together(
        self, session: Session, items: Sequence[EventsRequest], wait: bool
    ) -> Sequence[Outcomes | None]:
        """Take the events of several requests."""
        take = ingest.take if wait else ingest.take_unlocked
        return take(session, items, self._settings, self._salt)

    def alone(self, session: Session, item: EventsRequest) -> Outcomes:
        """Take the events of one request."""
        (outcomes,) = ingest.take(session, [item], self._settings, self._salt)
        return outcomes


def may_share(sent: EventIn | Sequence[EventIn]) -> bool:
    """Tell whether a request is written with others: it has few events, of one experiment."""
    if isinstance(sent, EventIn):
        return True
    return 0 < len(sent) <= MAX_SHARED and len({event.experiment_id for event in sent}) == 1
