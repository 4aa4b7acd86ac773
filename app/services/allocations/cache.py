"""The allocations served last, in memory, each with the version of the experiment it belongs to."""

import datetime as dt
import threading
from dataclasses import dataclass

from cachetools import LRUCache

from app.schemas.etags import etag_of
from app.services.allocations.allocate import ServedAllocation
from app.services.experiments.settings_history import local_date

ENTRY_BYTES = 256
"""What an entry takes beside its body, about."""


@dataclass(frozen=True, slots=True)
class CachedAllocation:
    """An answer as it is sent, the version of the experiment it belongs to, and when a new hour ends it."""

    version: int
    body: bytes
    etag: str
    until: dt.datetime | None = None

    @classmethod
    def of(cls, served: ServedAllocation) -> "CachedAllocation":
        """Return an answer with its entity tag."""
        body = served.body.encode()
        return cls(served.version, body, etag_of(body), served.until)

    def is_current(self, version: int, now: dt.datetime) -> bool:
        """Return whether it is still the answer at a version of the experiment."""
        return self.version == version and (self.until is None or now < self.until)


class AllocationCache:
    """The last answer served for each experiment and date, as many as fit into the given bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._lock = threading.Lock()
        self._answers: LRUCache[tuple[str, dt.date], CachedAllocation] = LRUCache(
            max_bytes, getsizeof=lambda cached: len(cached.body) + ENTRY_BYTES
        )
        self._days: LRUCache[str, tuple[str, dt.date]] = LRUCache(max(max_bytes // ENTRY_BYTES, 1))

    def get(self, experiment_id: str, date: dt.date) -> CachedAllocation | None:
        """Return what was last served for an experiment and date."""
        with self._lock:
            return self._answers.get((experiment_id, date))

    def cached_today(self, experiment_id: str, now: dt.datetime) -> dt.date | None:
        """Return the experiment's present day, if its time zone and the first day of its settings are cached."""
        with self._lock:
            known = self._days.get(experiment_id)
        return None if known is None else max(local_date(now, known[0]), known[1])

    def put(self, experiment_id: str, served: ServedAllocation) -> CachedAllocation:
        """Store an answer, unless a newer one is there, and return it as it is sent."""
        cached = CachedAllocation.of(served)
        with self._lock:
            self._days[experiment_id] = served.time_zone, served.not_before
            before = self._answers.get((experiment_id, served.date))
            newest = before is None or before.version <= cached.version
            if newest and len(cached.body) + ENTRY_BYTES <= self._answers.maxsize:
                self._answers[experiment_id, served.date] = cached
        return cached
