"""The generator: requests at random moments of a given rate, each timed from the moment it was due."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import uvloop

from benchmarks.load.connection import Broken, Connection

CONNECTIONS = 64
GRACE_SECONDS = 5
"""How long answers are waited for behind the end."""
TICK_SECONDS = 0.001
"""What the event loop's clock tells apart: requests leave up to so much late, never early."""
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire, and the statuses that are right for it."""

    kind: str
    wire: bytes
    right: frozenset[int]


@dataclass
class Offered:
    """What became of the requests of a while.

    Parameters
    ----------
    seconds : how long they were due; `busy_seconds` until the last was answered or given up
    latencies : seconds from when a request was due to its answer, in the order of the answers; of one without an
        answer, until it was given up, which is less than it would have been
    delays : seconds by which requests that found a free connection left later than they were due
    wrong : how many requests of a kind were answered with a status that is not right for them, or not at all
    """

    rate: float
    seconds: float
    busy_seconds: float = 0
    latencies: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    wrong: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def served(self) -> float:
        """Return the answers per second."""
        return (len(self.latencies) - self.unanswered) / self.busy_seconds

    @property
    def unanswered(self) -> int:
        """Return how many requests had no answer."""
        return sum(count for (_, status), count in self.wrong.items() if status == NO_ANSWER)

    def late_milliseconds(self, percentile: float) -> float:
        """Return a percentile of how late the generator itself was."""
        return float(1e3 * np.percentile(self.delays, percentile)) if self.delays else 0

    def milliseconds(self, *percentiles: float) -> list[float]:
        """Return percentiles of the latency."""
        return [float(1e3 * value) for value in np.percentile(self.latencies, percentiles)]


def offer(
    port: int,
    requests: Iterator[Request],
    rate: float,
    seconds: float,
    connections: int = CONNECTIONS,
    seed: int = 0,
) -> Offered:
    """Send so many requests per second to this machine for some seconds, at random moments."""
    return uvloop.run(_offer(port, requests, Offered(rate, seconds), connections, random.Random(seed)))


async def _offer(
    port: int, requests: Iterator[Request], offered: Offered, connections: int, chance: random.Random
) -> Offered:
    waiting: asyncio.Queue[tuple[float, Request]] = asyncio.Queue()
    opened = await asyncio.gather(*(Connection.open("127.0.0.1", port) for _ in range(connections)))
    senders = [asyncio.create_task(_Sender(port, one, waiting, offered).run()) for one in opened]
    begin = time.perf_counter()
    for moment in _moments(offered, chance):
        due = begin + moment
        while (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(max(early, TICK_SECONDS))
        waiting.put_nowait((due, next(requests)))
    with suppress(TimeoutError):
        await asyncio.wait_for(waiting.join(), GRACE_SECONDS)
    offered.busy_seconds = time.perf_counter() - begin
    for sender in senders:
        sender.cancel()
    await asyncio.gather(*senders, return_exceptions=True)
    while not waiting.empty():
        due, request = waiting.get_nowait()
        _note(offered, due, request, NO_ANSWER)
    return offered


def _moments(offered: Offered, chance: random.Random) -> list[float]:
    """Return when requests are due: a Poisson process of which the number is known, so that rates compare."""
    number = round(offered.rate * offered.seconds)
    return sorted(chance.uniform(0, offered.seconds) for _ in range(number))


def _note(offered: Offered, due: float, request: Request, status: int) -> None:
    offered.latencies.append(time.perf_counter() - due)
    if status not in request.right:
        offered.wrong[request.kind, status] += 1


class _Sender:
    """One connection's work: the request that waits longest, over and over."""

    def __init__(
        self,
        port: int,
        connection: Connection,
        waiting: asyncio.Queue[tuple[float, Request]],
        offered: Offered,
    ) -> None:
        self.port, self.connection, self.waiting, self.offered = port, connection, waiting, offered

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                was_free = self.waiting.empty()
                due, request = await self.waiting.get()
                if was_free:
                    self.offered.delays.append(time.perf_counter() - due)
                await self._answer(due, request)
                self.waiting.task_done()
        finally:
            self.connection.close()

    async def _answer(self, due: float, request: Request) -> None:
        status = NO_ANSWER
        try:
            if self.connection.closing:
                self.connection = await Connection.open("127.0.0.1", self.port)
            status = await self.connection.send(request.wire)
        except (Broken, OSError):
            pass  # counted as no answer
        finally:
            _note(self.offered, due, request, status)
