"""Single flight: work that several callers need at the same moment runs once, and they share its outcome."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Runs the work of a key at most once at a time, within one event loop; later callers join what is running."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Future[Result]] = {}

    def __contains__(self, key: Hashable) -> bool:
        """Tell whether the work of a key is running."""
        return key in self._running

    async def run(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return what the work of a key returns, or raise what it raises.

        The work continues when a caller is cancelled: others may wait for it, too.
        """
        return await asyncio.shield(self.start(key, work))

    def start(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> asyncio.Future[Result]:
        """Start the work of a key unless it is running, and return it without waiting for it."""
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.ensure_future(work())
            running.add_done_callback(lambda ended: self._end(key, ended))
        return running

    def _end(self, key: Hashable, ended: asyncio.Future[Result]) -> None:
        del self._running[key]
        if not ended.cancelled():
            ended.exception()  # marks it as retrieved: all callers may have been cancelled
