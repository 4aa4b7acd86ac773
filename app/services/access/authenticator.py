"""The API keys as a server process knows them: read together every few seconds, and asked for every request.

A revoked key is refused once they were read again, a new one is found at once. While PostgreSQL does not answer,
the keys last read stay valid: what can be answered then is little, and was asked for before.
"""

import asyncio
import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import psycopg

from app.errors import TooManyRequests, Unauthorized, Unavailable
from app.schemas.api_keys import Scope
from app.services.access import api_keys
from app.services.access.principal import ANONYMOUS, Principal
from app.storage import api_keys as stored_keys
from app.storage.database import Database

RETRY_SECONDS = 1
"""Between two looks for a key that is not known, and between two tries while PostgreSQL is away."""
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
    def of(cls, kept: stored_keys.ApiKeyRecord) -> "CachedKey":
        """Return a key as it is kept in memory."""
        scopes = frozenset(cast("list[Scope]", kept.scopes))
        return cls(kept, Principal(kept.key_id, kept.name, scopes, kept.experiment_prefix))


class TokenBucket:
    """What a key may still ask of this process: it holds a minute's requests and is filled evenly."""

    def __init__(self, per_minute: int, tick: float) -> None:
        self._per_minute = per_minute
        self._left = float(per_minute)
        self._at = tick

    def try_acquire(self, tick: float) -> int:
        """Take one request; return 0, or in how many whole seconds there will be one."""
        filled = self._left + (tick - self._at) * self._per_minute / 60
        self._left, self._at = min(filled, self._per_minute), tick
        if self._left < 1:
            return math.ceil((1 - self._left) * 60 / self._per_minute)
        self._left -= 1
        return 0


class Authenticator:
    """Tells whose request it is.

    Parameters
    ----------
    seconds : how long the keys are taken for unchanged
    open_without_keys : everybody may do everything as long as no key was ever made
    track_last_used : write down when keys were last used
    tick : seconds that never go back
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
        self._notes_uses = track_last_used
        self._tick = tick
        self._keys: dict[str, CachedKey] | None = None
        self._tried_at = 0.0
        self._failed = False
        self._reading: asyncio.Task[None] | None = None
        self._allowances: dict[str, TokenBucket] = {}
        self._uses: dict[str, dt.datetime] = {}
        self._noting: asyncio.Task[None] | None = None

    async def authenticate(self, sent: str | None, now: dt.datetime) -> Principal:
        """Return whose key was sent.

        Raises
        ------
        Unauthorized: no key, or one that is unknown, expired or revoked
        TooManyRequests: the key may ask again a little later
        Unavailable: the keys were never read, and PostgreSQL does not answer
        """
        known = await self._read_keys(self._seconds)
        if not known and self._open_without_keys:
            return ANONYMOUS
        if sent is None:
            raise Unauthorized(f"this needs an API key: {HOW_TO_AUTHENTICATE}")
        key = await self._find(sent, known)
        self._check_in_force(key, now)
        self._check_rate(key)
        self._track_use(key.record.key_id, now)
        return key.principal

    async def _find(self, sent: str, known: dict[str, CachedKey]) -> CachedKey:
        parts = api_keys.parse(sent)
        if parts is None:
            raise Unauthorized(f"this is no API key of Groundhog: {HOW_TO_AUTHENTICATE}")
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
        allowance = self._allowances.setdefault(key.record.key_id, TokenBucket(per_minute, tick))
        wait = allowance.try_acquire(tick)
        if wait:
            message = f"the API key {key.record.key_id} may ask {per_minute} times a minute"
            raise TooManyRequests(f"{message}; try again in {wait} s", wait)

    async def _read_keys(self, max_age: float) -> dict[str, CachedKey]:
        """Return the keys as they were at most ``max_age`` seconds ago."""
        since = self._tick() - self._tried_at
        if self._keys is None or since >= (RETRY_SECONDS if self._failed else max_age):
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            if not self._failed or self._keys is None:  # else nobody waits for a server that is away
                await asyncio.shield(self._reading)
        if self._keys is None:
            raise Unavailable("the API keys cannot be read: the database does not answer; try again shortly")
        return self._keys

    async def _read(self) -> None:
        self._tried_at = self._tick()
        try:
            found = await stored_keys.read(self._database)
        except (psycopg.Error, OSError, TimeoutError) as error:
            self._failed = True
            logger.warning("the API keys cannot be read (%s)", type(error).__name__)
        else:
            self.set_keys(found)

    def set_keys(self, found: Iterable[stored_keys.ApiKeyRecord]) -> None:
        """Take these keys, and no others, for those there are."""
        self._failed = False
        self._keys = {kept.key_id: CachedKey.of(kept) for kept in found}

    def _track_use(self, key_id: str, now: dt.datetime) -> None:
        if not self._notes_uses:
            return
        self._uses[key_id] = now
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._flush_later())

    async def _flush_later(self) -> None:
        await asyncio.sleep(LAST_USED_FLUSH_SECONDS)
        await self._flush_last_used()

    async def _flush_last_used(self) -> None:
        uses, self._uses = self._uses, {}
        with suppress(psycopg.Error, OSError, TimeoutError):  # the next use says it again
            if uses:
                await stored_keys.update_last_used(self._database, uses)

    async def close(self) -> None:
        """Write down the last uses."""
        if self._noting is not None:
            self._noting.cancel()
        await self._flush_last_used()
