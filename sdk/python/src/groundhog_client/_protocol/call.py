"""The course of one call without I/O: what to send, how long to wait, what to return or raise.

Both clients run the same course, one synchronously and one asynchronously: `Calls.call` yields the next step and
is sent its outcome.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TypeVar

from groundhog_client._errors import GroundhogError, UnreadableAnswer, problem_of
from groundhog_client._protocol.request import Answer, Request, Stream, Timed
from groundhog_client._protocol.response_cache import ResponseCache
from groundhog_client._protocol.retry_policy import Chance, RetryPolicy, chance, is_retryable
from groundhog_client._protocol.service_clock import ServiceClock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; the outcome is the answer, or the error that stands for none."""

    request: Request[object]
    content: bytes | Stream | None
    seconds: float | None
    """The time until the whole answer must be there; None is any time, as long as bytes arrive."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so many seconds; there is no outcome."""

    seconds: float


Step = Send | Wait
Outcome = Answer | GroundhogError | None
Call = Generator[Step, Outcome, T]


@dataclass(frozen=True, slots=True)
class Calls:
    """What all calls of a client share.

    Parameters
    ----------
    clock, chance : time and randomness; tests replace them
    service_clock : learns from every answer
    """

    retries: RetryPolicy
    cache: ResponseCache = field(default_factory=ResponseCache)
    clock: Callable[[], float] = monotonic
    chance: Chance = chance
    service_clock: ServiceClock = field(default_factory=ServiceClock)

    def call(self, request: Request[T]) -> Call[T]:
        """Run one call and return what its answer holds.

        Raises
        ------
        GroundhogError: the last error, when another attempt is useless, unsafe or too late
        """
        until = self._until(request)
        cached = self.cache.get(request) if request.cached else None
        sent = request if cached is None else _if_changed(request, cached)
        attempt = 0
        while True:
            attempt += 1
            outcome = yield from self._attempt(sent, self._seconds(request, until))
            if isinstance(outcome, Answer) and outcome.status < 400:
                return request.read(self._complete(request, cached, outcome))
            error = _error(outcome)
            wait = self.retries.wait_after(attempt, error, self.chance)
            last = attempt >= self.retries.attempts or self.clock() + wait > until
            if last or not _may_repeat(request, error):
                raise error
            yield Wait(wait)

    def _attempt(self, request: Request[object], seconds: float | None) -> Generator[Step, Outcome, Outcome]:
        content, sent_at = request.content, self.service_clock.host()
        body = content.written(self.service_clock.offset) if isinstance(content, Timed) else content
        outcome = yield Send(request, body, seconds)
        if isinstance(outcome, Answer):
            self.service_clock.learn(outcome.headers, sent_at)
        return outcome

    def _until(self, request: Request[object]) -> float:
        unlimited = self.retries.deadline is None or request.unhurried
        return float("inf") if unlimited else self.clock() + (self.retries.deadline or 0.0)

    def _seconds(self, request: Request[object], until: float) -> float | None:
        return None if request.unhurried else min(self.retries.timeout, max(until - self.clock(), 0.001))

    def _complete(self, request: Request[object], cached: Answer | None, answer: Answer) -> Answer:
        """Return the answer; for a 304 the cached one that it confirms, with the headers of the 304."""
        if answer.status == 304 and cached is not None:
            return Answer(cached.status, {**answer.headers, "etag": cached.headers["etag"]}, cached.body)
        if answer.status >= 300:
            raise UnreadableAnswer(f"the service answered {answer.status}: is its address right?")
        if request.cached:
            self.cache.put(request, answer)
        return answer


def _if_changed(request: Request[T], cached: Answer) -> Request[T]:
    return replace(request, headers={**request.headers, "If-None-Match": cached.headers["etag"]})


def _error(outcome: Outcome) -> GroundhogError:
    if isinstance(outcome, Answer):
        return problem_of(outcome.status, outcome.headers, outcome.body)
    assert outcome is not None
    return outcome


def _may_repeat(request: Request[object], error: GroundhogError) -> bool:
    once_only = isinstance(request.content, Stream) and not request.content.rereadable
    return not once_only and is_retryable(error, request.repeatable)
