"""The way to the service and back, by blocking."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
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


class Line:
    """Carries requests out by blocking: what is to be done next is said by the exchange."""

    def __init__(
        self, url: str, api_key: str | None, exchanges: Exchanges, http: httpx2.Client | None
    ) -> None:
        self.exchanges = exchanges
        self._url, self._headers = address(url), headers(api_key)
        self._own = http is None
        self._http = http or httpx2.Client(limits=CONNECTIONS)

    def close(self) -> None:
        """Close the connections, if they are not the caller's own."""
        if self._own:
            self._http.close()

    def call(self, request: Request[T], /, patience: Patience | None = None) -> T:
        """Carry out a request, perhaps with another patience, and return what its answer says."""
        exchanges = self.exchanges if patience is None else replace(self.exchanges, patience=patience)
        return self._hold(exchanges.exchange(request))

    def _hold(self, exchange: Exchange[T]) -> T:
        step = next(exchange)
        while True:
            outcome = self._do(step)
            try:
                step = exchange.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value

    def _do(self, step: Step) -> Outcome:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._attempt(step)
        except httpx2.RequestError as error:
            return failure(error)

    def _attempt(self, attempt: Attempt) -> Outcome:
        content = attempt.request.content
        body = content.chunks() if isinstance(content, Stream) else content
        began, received = self.exchanges.clock(), bytearray()
        with self._http.stream(**words(attempt, self._url, self._headers), content=body) as response:
            for chunk in response.iter_bytes():
                received += chunk
                if attempt.seconds and self.exchanges.clock() - began > attempt.seconds:
                    return too_late(attempt.seconds)
            return Answer(response.status_code, dict(response.headers), bytes(received))

    @contextmanager
    def listen(self, following: Following) -> Iterator[httpx2.EventSource]:
        """Open a connection on which the service tells how a simulation goes."""
        attempt = Attempt(following.request, following.seconds())
        try:
            with self._http.stream(**words(attempt, self._url, self._headers)) as response:
                if response.status_code != 200:
                    raise problem_of(response.status_code, dict(response.headers), response.read())
                yield httpx2.EventSource(response)
        except httpx2.RequestError as error:
            raise failure(error) from error
