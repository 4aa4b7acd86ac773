"""The allocations served last, in memory, each with the version of the experiment it belongs to."""

import datetime as dt
import threading
from dataclasses import dataclass

from cachetools import LRUCache

from app.services.allocations import allocate
from app.services.experiments.settings_history import local_date


@dataclass(frozen=True, slots=True)
class CachedAllocation:
    """An answer as it was served, and the version of the experiment it belongs to."""

    version: int
    body: bytes
    etag: str


class AllocationCache:
    """The last answer served for each experiment and date, as many as fit into the given bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._lock = threading.Lock()
        self._answers: LRUCache[tuple[str, dt.date], CachedAllocation] = LRUCache(
            max_bytes, getsizeof=lambda served: len(served.body) + 256
        )
        self._days: LRUCache[str, tuple[str, dt.date]] = LRUCache(max(max_bytes // 256, 1))

    def get(self, experiment_id: str, date: dt.date) -> CachedAllocation | None:
        """Return what was last served for an experiment and date."""
        with self._lock:
            return self._answers.get((experiment_id, date))

    def cached_today(self, experiment_id: str, now: dt.datetime) -> dt.date | None:
        """Return the experiment's present day, as far as its time zone and its first day are known here."""
        with self._lock:
            known = self._days.get(experiment_id)
        return None if known is None else max(local_date(now, known[0]), known[1])

    def put(self, experiment_id: str, found: allocate.ServedAllocation, served: CachedAllocation) -> None:
        """Keep an answer, in place of an older one."""
        date = found.date
        with self._lock:
            self._days[experiment_id] = found.time_zone, found.began
            before = self._answers.get((experiment_id, date))
            if before is not None and before.version > served.version:
                return
            if len(served.body) + 256 <= self._answers.maxsize:
                self._answers[experiment_id, date] = served
