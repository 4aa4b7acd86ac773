"""A process that plays simulations, and its handle in the process that started it.

The child is spawned, never forked: the service has threads. It has no database; it receives a request, reports
progress, and returns a text. It ends with its parent, whose end of the pipe closes.
"""

import contextlib
import json
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Literal, NamedTuple

from app.bandits.policies import plugins
from app.services.simulations import duration_plans, result_tables, scenarios

PROGRESS_SECONDS = 0.1
INTERIM_RESULT_SECONDS = 0.4
POLL_SECONDS = 0.05

Task = Literal["play", "plan"] | tuple[Literal["log"], int]


class Cancelled(Exception):
    """The work was cancelled."""


class WorkerDied(Exception):
    """The process ended."""


class SimulationFailed(Exception):
    """The work itself failed."""


class Worker:
    """One worker process, from its start to its end."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, child_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(child_end,), name="simulation", daemon=True)
        self._process.start()
        child_end.close()  # so that the end of the process is the end of the pipe

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    def run(
        self,
        task: Task,
        scenario: str,
        request: dict[str, Any],
        on_progress: Callable[[int, int], None],
        on_interim_result: Callable[[str], None],
        is_cancelled: Callable[[], bool],
    ) -> str:
        """Return the text that the task produces.

        Parameters
        ----------
        task : "play" and "plan" return a result in JSON; ("log", policy) the log of a policy in CSV
        on_progress : called with the number of steps done and the number of all
        on_interim_result : called with the interim result in JSON, in scenarios that have one
        is_cancelled : called often; True ends the work

        Raises
        ------
        Cancelled: `is_cancelled` returned True
        WorkerDied: the process ended or was killed
        SimulationFailed: with the reason
        """
        try:
            self._connection.send((task, scenario, request))
            while True:
                if self._connection.poll(POLL_SECONDS):
                    message = self._connection.recv()
                    if message.kind == "progress":
                        on_progress(*message.content)
                    elif message.kind == "interim result":
                        on_interim_result(message.content)
                    elif message.kind == "error":
                        raise SimulationFailed(message.content)
                    else:
                        return str(message.content)
                if is_cancelled():
                    raise Cancelled
        except (EOFError, OSError) as error:
            self._process.join(5)
            code = self._process.exitcode
            raise WorkerDied(
                f"its process was killed (signal {-code})" if code and code < 0 else "its process ended"
            ) from error

    def end(self) -> None:
        """Kill the process and wait for it."""
        self._process.kill()
        self._process.join()
        self._connection.close()


class _Message(NamedTuple):
    kind: Literal["progress", "interim result", "error", "text"]
    content: Any


def _serve(connection: Connection) -> None:
    """Carry out tasks until the other end is closed."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the service ends its workers
    plugins.load_plugins()
    with contextlib.suppress(EOFError, OSError):
        while True:
            task, scenario, request = connection.recv()
            connection.send(_carry_out(task, scenario, request, _Reporter(connection)))


def _carry_out(task: Task, scenario: str, request: dict[str, Any], reporter: "_Reporter") -> _Message:
    try:
        if task == "plan":
            return _Message("text", as_json(duration_plans.play(request)))
        prepared = scenarios.prepare(scenario, request)
        if task == "play":
            return _Message("text", as_json(prepared.play(reporter, reporter.on_interim_result)))
        return _Message("text", result_tables.as_csv(prepared.log(task[1])))
    except (EOFError, OSError):
        raise
    except MemoryError:
        return _Message("error", "there was not enough memory")
    except (
        Exception
    ) as error:  # a custom policy can raise anything; it fails its run, and the process continues
        return _Message("error", f"{type(error).__name__}: {error}"[:500])


class _Reporter:
    """Sends progress and interim results, at most once in an interval."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._next_progress, self._next_interim_result = connection, 0.0, 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next_progress or done == total:
            self._next_progress = now + PROGRESS_SECONDS
            self._connection.send(_Message("progress", (done, total)))

    def on_interim_result(self, interim_result: Callable[[], dict[str, Any]]) -> None:
        """Send an interim result, computed only when it is due."""
        now = time.monotonic()
        if now >= self._next_interim_result:
            self._next_interim_result = now + INTERIM_RESULT_SECONDS
            self._connection.send(_Message("interim result", as_json(interim_result())))


def as_json(result: dict[str, Any]) -> str:
    """Return a result as it is stored: equal results have the same bytes."""
    return json.dumps(result, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
