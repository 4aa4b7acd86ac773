"""The asynchronous client used like the synchronous one, so that one test is of both."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any

from groundhog_client import AsyncEventSender


class Loop:
    """An event loop that runs in a thread of its own, as long as a test needs it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def wait_for(self, coming: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coming, self._loop).result()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Waited:
    """An asynchronous object, each method of which is waited for."""

    def __init__(self, awaiting: Any, loop: Loop) -> None:
        self._awaiting, self._loop = awaiting, loop

    def __len__(self) -> int:
        return len(self._awaiting)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._awaiting, "aclose" if name == "close" else name)
        return self._waited(found) if callable(found) else found

    def _waited(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            coming = method(*args, **named)
            if inspect.isasyncgen(coming):
                return self._loop.wait_for(_listed(coming))
            if isinstance(coming, AsyncEventSender):
                return Waited(coming, self._loop)
            return self._loop.wait_for(coming) if inspect.iscoroutine(coming) else coming

        return call


async def _listed(coming: Any) -> list[Any]:
    return [item async for item in coming]
