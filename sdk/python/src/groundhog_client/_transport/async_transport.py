"""The asynchronous transport: it takes the steps of a call by awaiting."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import httpx2

from groundhog_client._errors import problem_of
from groundhog_client._protocol.call import Call, Calls, Outcome, Send, Step, Wait
from groundhog_client._protocol.request import Answer, Request, Stream
from groundhog_client._protocol.retry_policy import RetryPolicy
from groundhog_client._transport.async_connections import AsyncConnections
from groundhog_client._transport.http import (
    base_url,
    common_headers,
    connection_error,
    request_arguments,
    timeout_error,
    wrong_answer,
)

T = TypeVar("T")


class AsyncTransport:
    """Sends requests by awaiting; `Calls` says what to do next."""

    def __init__(self, url: str, api_key: str | None, calls: Calls, http: httpx2.AsyncClient | None) -> None:
        self.calls = calls
        self._url, self._headers = base_url(url), common_headers(api_key)
        self._connections = AsyncConnections(http)

    async def aclose(self) -> None:
        """Close the connections, unless they are the program's own."""
        await self._connections.aclose()

    async def call(self, request: Request[T], /, retries: RetryPolicy | None = None) -> T:
        """Send a request, perhaps with another retry policy, and return what its answer holds."""
        calls = self.calls if retries is None else replace(self.calls, retries=retries)
        return await self._run(calls.call(request))

    async def _run(self, call: Call[T]) -> T:
        step = next(call)
        while True:
            outcome = await self._take(step)
            try:
                step = call.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value

    async def _take(self, step: Step) -> Outcome:
        if isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._send(step)
        except httpx2.RequestError as error:
            return connection_error(error)

    async def _send(self, send: Send) -> Outcome:
        content = send.content
        body = _in_threads(content.chunks()) if isinstance(content, Stream) else content
        arguments = request_arguments(send, self._url, self._headers)
        try:
            async with asyncio.timeout(send.seconds):
                async with self._connections.http().stream(**arguments, content=body) as response:
                    if error := wrong_answer(response):
                        self._connections.drop()
                        return error
                    received = await response.aread()
                    return Answer(response.status_code, dict(response.headers), received)
        except TimeoutError:
            return timeout_error(send.seconds)

    @asynccontextmanager
    async def stream(self, request: Request[None], seconds: float) -> AsyncIterator[httpx2.EventSource]:
        """Open a connection on which the service sends events."""
        arguments = request_arguments(Send(request, None, seconds), self._url, self._headers)
        try:
            async with self._connections.http().stream(**arguments) as response:
                if error := wrong_answer(response):
                    self._connections.drop()
                    raise error
                if response.status_code != 200:
                    raise problem_of(response.status_code, dict(response.headers), await response.aread())
                yield httpx2.EventSource(response)
        except httpx2.RequestError as error:
            raise connection_error(error) from error


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks, each read in a thread: reading a file must not block the event loop."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
