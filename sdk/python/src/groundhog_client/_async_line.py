"""The way to the service and back, by awaiting."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import httpx2

from groundhog_client._errors import problem_of
from groundhog_client._exchange import Attempt, Exchange, Exchanges, Outcome, Pause, Step
from groundhog_client._following import Following
from groundhog_client._http import CONNECTIONS, address, failure, headers, too_late, words
from groundhog_client._patience import Patience
from groundhog_client._wire import Answer, Request, Stream

T = TypeVar("T")


class AsyncLine:
    """Carries requests out by awaiting: what is to be done next is said by the exchange."""

    def __init__(
        self, url: str, api_key: str | None, exchanges: Exchanges, http: httpx2.AsyncClient | None
    ) -> None:
        self.exchanges = exchanges
        self._url, self._headers = address(url), headers(api_key)
        self._own = http is None
        self._http = http or httpx2.AsyncClient(limits=CONNECTIONS)

    async def aclose(self) -> None:
        """Close the connections, if they are not the caller's own."""
        if self._own:
            await self._http.aclose()

    async def call(self, request: Request[T], /, patience: Patience | None = None) -> T:
        """Carry out a request, perhaps with another patience, and return what its answer says."""
        exchanges = self.exchanges if patience is None else replace(self.exchanges, patience=patience)
        return await self._hold(exchanges.exchange(request))

    async def _hold(self, exchange: Exchange[T]) -> T:
        step = next(exchange)
        while True:
            outcome = await self._do(step)
            try:
                step = exchange.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value

    async def _do(self, step: Step) -> Outcome:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._attempt(step)
        except httpx2.RequestError as error:
            return failure(error)

    async def _attempt(self, attempt: Attempt) -> Outcome:
        content = attempt.request.content
        body = _awaited(content.chunks()) if isinstance(content, Stream) else content
        try:
            async with asyncio.timeout(attempt.seconds):
                sent = self._http.stream(**words(attempt, self._url, self._headers), content=body)
                async with sent as response:
                    received = await response.aread()
                    return Answer(response.status_code, dict(response.headers), received)
        except TimeoutError:
            return too_late(attempt.seconds)

    @asynccontextmanager
    async def listen(self, following: Following) -> AsyncIterator[httpx2.EventSource]:
        """Open a connection on which the service tells how a simulation goes."""
        attempt = Attempt(following.request, following.seconds())
        try:
            async with self._http.stream(**words(attempt, self._url, self._headers)) as response:
                if response.status_code != 200:
                    raise problem_of(response.status_code, dict(response.headers), await response.aread())
                yield httpx2.EventSource(response)
        except httpx2.RequestError as error:
            raise failure(error) from error


async def _awaited(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks, each made in a thread: reading a file must not stop the event loop."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
