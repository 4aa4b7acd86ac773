"""The settings of locked experiments, read again only where their version of the settings has changed."""

from collections.abc import Iterable
from dataclasses import replace
from threading import Lock

from cachetools import LRUCache
from sqlalchemy.orm import Session

from app.services.experiments.settings_history import SettingsHistory, read_histories

CACHE_SIZE = 10_000
"""Experiments whose settings are cached."""

LockedVersions = tuple[str, int, int]
"""An experiment's id, version and version of the settings, as ``version_lock.lock_several`` returns them."""


class SettingsCache:
    """The settings that the writers of one process saw last.

    Settings change under the experiment's lock and with a new version of them, so they are current as long as the
    lock is held. Where totals come from is settled without one, but once: undecided experiments are not cached.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._histories: LRUCache[str, SettingsHistory] = LRUCache(CACHE_SIZE)

    def read(self, session: Session, locked: Iterable[LockedVersions]) -> dict[str, SettingsHistory]:
        """Return the settings of experiments whose locks the session holds, and that it has not changed itself.

        What they say of delays may be older.
        """
        found, unknown = {}, []
        with self._lock:
            for experiment_id, version, settings_version in locked:
                cached = self._histories.get(experiment_id)
                if cached is not None and cached.settings_version == settings_version:
                    found[experiment_id] = replace(cached, version=version)
                else:
                    unknown.append(experiment_id)
        return found | self._read_anew(session, unknown) if unknown else found

    def _read_anew(self, session: Session, experiment_ids: Iterable[str]) -> dict[str, SettingsHistory]:
        fresh = read_histories(session, experiment_ids)
        with self._lock:
            self._histories.update((name, one) for name, one in fresh.items() if one.source is not None)
        return fresh
