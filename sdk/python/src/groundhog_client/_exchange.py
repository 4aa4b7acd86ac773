"""One call as a conversation without I/O: what to send, how long to wait, what it comes to.

Both clients carry out the same conversation, one by blocking and one by awaiting: `exchange` yields what is to be
done next and is sent the outcome.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TypeVar

from groundhog_client._errors import GroundhogError, UnreadableAnswer, problem_of
from groundhog_client._kept import KeptAnswers
from groundhog_client._patience import Chance, Patience, chance, worth_repeating
from groundhog_client._wire import Answer, Request, Stream

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Send this; the outcome is the answer, or why there is none."""

    request: Request[object]
    seconds: float | None
    """How long it may take until the whole answer is there; None is as long as bytes go on moving."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Let so many seconds pass; there is no outcome."""

    seconds: float


Step = Attempt | Pause
Outcome = Answer | GroundhogError | None
Exchange = Generator[Step, Outcome, T]


@dataclass(frozen=True, slots=True)
class Exchanges:
    """What all calls of a client have in common.

    Parameters
    ----------
    clock, chance : tests put their own in their place
    """

    patience: Patience
    kept: KeptAnswers = field(default_factory=KeptAnswers)
    clock: Callable[[], float] = monotonic
    chance: Chance = chance

    def exchange(self, request: Request[T]) -> Exchange[T]:
        """Hold the conversation of one call; it returns what the answer says.

        Raises
        ------
        GroundhogError: the last error, when trying again is of no use, not safe, or out of time
        """
        until = self._until(request)
        known = self.kept.get(request) if request.kept else None
        asked = request if known is None else _if_changed(request, known)
        attempt = 0
        while True:
            attempt += 1
            outcome = yield Attempt(asked, self._seconds(request, until))
            if isinstance(outcome, Answer) and outcome.status < 400:
                return request.read(self._whole(request, known, outcome))
            error = _error(outcome)
            wait = self.patience.wait_after(attempt, error, self.chance)
            if attempt >= self.patience.attempts or not _again(request, error) or self.clock() + wait > until:
                raise error
            yield Pause(wait)

    def _until(self, request: Request[object]) -> float:
        unlimited = self.patience.deadline is None or request.unhurried
        return float("inf") if unlimited else self.clock() + (self.patience.deadline or 0.0)

    def _seconds(self, request: Request[object], until: float) -> float | None:
        return None if request.unhurried else min(self.patience.timeout, max(until - self.clock(), 0.001))

    def _whole(self, request: Request[object], known: Answer | None, answer: Answer) -> Answer:
        """Return the answer, or with a 304 the one it confirms, under the headers of the 304."""
        if answer.status == 304 and known is not None:
            return Answer(known.status, {**answer.headers, "etag": known.headers["etag"]}, known.body)
        if answer.status >= 300:
            raise UnreadableAnswer(f"the service answered {answer.status}: is its address right?")
        if request.kept:
            self.kept.put(request, answer)
        return answer


def _if_changed(request: Request[T], known: Answer) -> Request[T]:
    return replace(request, headers={**request.headers, "If-None-Match": known.headers["etag"]})


def _error(outcome: Outcome) -> GroundhogError:
    if isinstance(outcome, Answer):
        return problem_of(outcome.status, outcome.headers, outcome.body)
    assert outcome is not None
    return outcome


def _again(request: Request[object], error: GroundhogError) -> bool:
    once_only = isinstance(request.content, Stream) and not request.content.again
    return not once_only and worth_repeating(error, request.repeatable)
