"""Authentication by API keys, from a copy of them that a server process refreshes every few seconds.

A revoked key is rejected after the next refresh, a new one is found at once. While PostgreSQL does not answer, the
last copy stays valid: little can be answered then, and only what was served before.
"""

import asyncio
import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import cast

import psycopg

from app.errors import InternalError, TooManyRequests, Unauthorized, Unavailable
from app.schemas.api_keys import Scope
from app.services.access import api_keys
from app.services.access.principal import ANONYMOUS, Principal
from app.services.single_flight import SingleFlight
from app.storage import api_keys as stored_keys
from app.storage.database import Database, is_outage

RETRY_SECONDS = 1
"""Between two refreshes for an unknown key, and between two attempts while PostgreSQL is not available."""
LAST_USED_FLUSH_SECONDS = 60
HOW_TO_AUTHENTICATE = (
    "send 'Authorization: Bearer gh_...' or 'X-API-Key: gh_...'; `groundhog keys create` makes a key"
)

logger = logging.getLogger("groundhog.keys")


@dataclass(frozen=True, slots=True)
class CachedKey:
    """A key, ready to be compared with what a client sends."""

    record: stored_keys.ApiKeyRecord
    principal: Principal

    @classmethod
    def of(cls, record: stored_keys.ApiKeyRecord) -> "CachedKey":
        """Return a stored key with its principal."""
        scopes = frozenset(cast("list[Scope]", record.scopes))
        origins = None if record.origins is None else frozenset(record.origins)
        return cls(record, Principal(record.key_id, record.name, scopes, record.experiment_prefix, origins))


class TokenBucket:
    """The rate limit of a key in this process: it holds a minute's requests and is refilled continuously."""

    def __init__(self, per_minute: int, tick: float) -> None:
        self._per_minute = per_minute
        self._tokens = float(per_minute)
        self._at = tick

    def try_acquire(self, tick: float) -> int:
        """Take one request; return 0, or in how many whole seconds there will be one."""
        refilled = self._tokens + (tick - self._at) * self._per_minute / 60
        self._tokens, self._at = min(refilled, self._per_minute), tick
        if self._tokens < 1:
            return math.ceil((1 - self._tokens) * 60 / self._per_minute)
        self._tokens -= 1
        return 0


class Authenticator:
    """Finds the principal of a request.

    Parameters
    ----------
    seconds : how old the copy of the keys may be
    open_without_keys : as long as there was never a key, every client may do everything
    track_last_used : store when keys were last used
    tick : returns monotonic seconds
    """

    def __init__(
        self,
        database: Database,
        seconds: float,
        open_without_keys: bool,
        track_last_used: bool = True,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._seconds = seconds
        self._open_without_keys = open_without_keys
        self._track_last_used = track_last_used
        self._tick = tick
        self._keys: dict[str, CachedKey] | None = None
        self._origins: frozenset[str] = frozenset()
        self._tried_at = 0.0
        self._failed = False
        self._outage = False
        self._refreshing: SingleFlight[None] = SingleFlight()
        self._buckets: dict[str, TokenBucket] = {}
        self._last_used: dict[str, dt.datetime] = {}
        self._flushing: asyncio.Task[None] | None = None

    async def authenticate(self, sent: str | None, now: dt.datetime) -> Principal:
        """Return the principal of a key that a client sent.

        Raises
        ------
        Unauthorized: no key, or one that is unknown, expired or revoked
        TooManyRequests: the key exceeds its rate
        Unavailable: the keys were never read, and PostgreSQL does not answer
        InternalError: the keys were never read, and PostgreSQL rejects the statement
        """
        known = await self._read_keys(self._seconds)
        if not known and self._open_without_keys:
            return ANONYMOUS
        if sent is None:
            raise Unauthorized(f"this needs an API key: {HOW_TO_AUTHENTICATE}")
        key = await self._find(sent, known)
        self._check_in_force(key, now)
        self._check_rate(key)
        self._record_use(key.record.key_id, now)
        return key.principal

    async def refresh_origins(self, origin: str) -> None:
        """Read the keys again, at most once a second, where none of them is known to have an origin."""
        with suppress(Unavailable, InternalError):
            await self._read_keys(
                self._seconds if self.has_origin(origin) else min(self._seconds, RETRY_SECONDS)
            )

    def has_origin(self, origin: str) -> bool:
        """Tell whether a key that is not revoked may be used in pages of an origin."""
        return origin in self._origins

    async def _find(self, sent: str, known: dict[str, CachedKey]) -> CachedKey:
        parts = api_keys.parse(sent)
        if parts is None:
            raise Unauthorized(f"this is not an API key of Groundhog: {HOW_TO_AUTHENTICATE}")
        key_id, secret_sha256 = parts
        if key_id not in known:
            known = await self._read_keys(min(self._seconds, RETRY_SECONDS))
        key = known.get(key_id)
        if not api_keys.verify(secret_sha256, None if key is None else key.record.secret_sha256):
            raise Unauthorized(f"the API key is not valid: {HOW_TO_AUTHENTICATE}")
        assert key is not None, "it matched"
        return key

    @staticmethod
    def _check_in_force(key: CachedKey, now: dt.datetime) -> None:
        if key.record.revoked_at is not None:
            raise Unauthorized(f"the API key {key.record.key_id} was revoked")
        if key.record.expires_at is not None and key.record.expires_at <= now:
            raise Unauthorized(
                f"the API key {key.record.key_id} expired at {key.record.expires_at.isoformat()}"
            )

    def _check_rate(self, key: CachedKey) -> None:
        per_minute = key.record.requests_per_minute
        if per_minute is None:
            return
        tick = self._tick()
        bucket = self._buckets.setdefault(key.record.key_id, TokenBucket(per_minute, tick))
        wait = bucket.try_acquire(tick)
        if wait:
            message = f"the API key {key.record.key_id} may send {per_minute} requests a minute"
            raise TooManyRequests(f"{message}; try again in {wait} s", wait)

    async def _read_keys(self, max_age: float) -> dict[str, CachedKey]:
        """Return the keys as they were at most ``max_age`` seconds ago."""
        age = self._tick() - self._tried_at
        if self._keys is None or age >= (RETRY_SECONDS if self._failed else max_age):
            refresh = self._refreshing.start("keys", self._refresh)
            if not self._failed or self._keys is None:  # else the last copy serves, and no request waits
                await asyncio.shield(refresh)
        if self._keys is None and not self._outage:
            raise InternalError
        if self._keys is None:
            raise Unavailable("the API keys cannot be read: the database does not answer; try again shortly")
        return self._keys

    async def _refresh(self) -> None:
        self._tried_at = self._tick()
        try:
            found = await stored_keys.read(self._database)
        except (psycopg.Error, OSError, TimeoutError) as error:
            self._failed = True
            self._outage = is_outage(error)
            if self._outage:
                logger.warning("the API keys cannot be read (%s)", type(error).__name__)
            else:
                logger.exception("the API keys cannot be read")
        else:
            self.set_keys(found)

    def set_keys(self, found: Iterable[stored_keys.ApiKeyRecord]) -> None:
        """Replace the copy of the keys."""
        self._failed = False
        self._keys = {record.key_id: CachedKey.of(record) for record in found}
        valid = (key.principal for key in self._keys.values() if key.record.revoked_at is None)
        self._origins = frozenset(chain.from_iterable(who.origins or () for who in valid))

    def _record_use(self, key_id: str, now: dt.datetime) -> None:
        if not self._track_last_used:
            return
        self._last_used[key_id] = now
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_later())

    async def _flush_later(self) -> None:
        await asyncio.sleep(LAST_USED_FLUSH_SECONDS)
        await self._flush_last_used()

    async def _flush_last_used(self) -> None:
        uses, self._last_used = self._last_used, {}
        try:
            if uses:
                await stored_keys.update_last_used(self._database, uses)
        except (psycopg.Error, OSError, TimeoutError) as error:  # the next use of the key stores it
            if not is_outage(error):
                logger.exception("the last use of API keys cannot be stored")

    async def close(self) -> None:
        """Store the last uses."""
        if self._flushing is not None:
            self._flushing.cancel()
        await self._flush_last_used()
