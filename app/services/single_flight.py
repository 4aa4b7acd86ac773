"""Work that several requests want at the same moment, done once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Runs one piece of work per key at a time, within one event loop; who comes while it runs shares its end."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Future[Result]] = {}

    def __contains__(self, key: Hashable) -> bool:
        """Tell whether the work of a key runs."""
        return key in self._running

    async def run(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return what the work of a key finds, or raise what it raises.

        The work goes on when a request that waits for it is given up: others may wait for it, too.
        """
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.ensure_future(work())
            running.add_done_callback(lambda ended: self._end(key, ended))
        return await asyncio.shield(running)

    def _end(self, key: Hashable, ended: asyncio.Future[Result]) -> None:
        del self._running[key]
        if not ended.cancelled():
            ended.exception()  # whoever waited may have gone; its error is then nobody's
