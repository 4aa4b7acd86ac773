"""The synchronous transport: it takes the steps of a call by blocking."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import httpx2

from groundhog_client._errors import problem_of
from groundhog_client._protocol.call import Call, Calls, Outcome, Send, Step, Wait
from groundhog_client._protocol.request import Answer, Request, Stream
from groundhog_client._protocol.retry_policy import RetryPolicy
from groundhog_client._transport.connections import Connections
from groundhog_client._transport.http import (
    base_url,
    common_headers,
    connection_error,
    request_arguments,
    timeout_error,
    wrong_answer,
)

T = TypeVar("T")


class Transport:
    """Sends requests by blocking; `Calls` says what to do next."""

    def __init__(self, url: str, api_key: str | None, calls: Calls, http: httpx2.Client | None) -> None:
        self.calls = calls
        self._url, self._headers = base_url(url), common_headers(api_key)
        self._connections = Connections(http)

    def close(self) -> None:
        """Close the connections, unless they are the program's own."""
        self._connections.close()

    def call(self, request: Request[T], /, retries: RetryPolicy | None = None) -> T:
        """Send a request, perhaps with another retry policy, and return what its answer holds."""
        calls = self.calls if retries is None else replace(self.calls, retries=retries)
        return self._run(calls.call(request))

    def _run(self, call: Call[T]) -> T:
        step = next(call)
        while True:
            outcome = self._take(step)
            try:
                step = call.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value

    def _take(self, step: Step) -> Outcome:
        if isinstance(step, Wait):
            time.sleep(step.seconds)
            return None
        try:
            return self._send(step)
        except httpx2.RequestError as error:
            return connection_error(error)

    def _send(self, send: Send) -> Outcome:
        content = send.content
        body = content.chunks() if isinstance(content, Stream) else content
        began, received = self.calls.clock(), bytearray()
        arguments = request_arguments(send, self._url, self._headers)
        with self._connections.http().stream(**arguments, content=body) as response:
            if error := wrong_answer(response):
                self._connections.drop()
                return error
            for chunk in response.iter_bytes():
                received += chunk
                if send.seconds and self.calls.clock() - began > send.seconds:
                    return timeout_error(send.seconds)
            return Answer(response.status_code, dict(response.headers), bytes(received))

    @contextmanager
    def stream(self, request: Request[None], seconds: float) -> Iterator[httpx2.EventSource]:
        """Open a connection on which the service sends events."""
        arguments = request_arguments(Send(request, None, seconds), self._url, self._headers)
        try:
            with self._connections.http().stream(**arguments) as response:
                if error := wrong_answer(response):
                    self._connections.drop()
                    raise error
                if response.status_code != 200:
                    raise problem_of(response.status_code, dict(response.headers), response.read())
                yield httpx2.EventSource(response)
        except httpx2.RequestError as error:
            raise connection_error(error) from error
