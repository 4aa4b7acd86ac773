"""A process that plays simulations, and the process that listens to it.

The child is spawned, never forked: the service has threads. It knows no database; it is given a request, tells how
far it is, and hands back a text. It ends with its parent, whose end of the pipe closes.
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

PROGRESS_SECONDS = 0.1  # seconds
INTERIM_RESULT_SECONDS = 0.4
POLL_SECONDS = 0.05

Task = Literal["play", "plan"] | tuple[Literal["log"], int]


class Cancelled(Exception):
    """Nobody wants the work any more."""


class WorkerDied(Exception):
    """The process is gone."""


class SimulationFailed(Exception):
    """The work itself failed."""


class Worker:
    """One process, started when first needed and after it was killed."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), name="simulation", daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    def run(
        self,
        task: Task,
        scenario: str,
        request: dict[str, Any],
        tell: Callable[[int, int], None],
        watch: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> str:
        """Return the text that the task makes.

        Parameters
        ----------
        task : "play" and "plan" make a result in JSON; ("log", policy) the log of a policy in CSV
        tell : called with the steps done and all there are
        watch : called with the standing in JSON, in scenarios that have one
        stop : asked often; True ends the process

        Raises
        ------
        Stopped: because `stop` said so
        Died: the process ended of itself or was killed
        Faulted: the simulation failed; the text says how
        """
        try:
            self._connection.send((task, scenario, request))
            while True:
                if self._connection.poll(POLL_SECONDS):
                    said = self._connection.recv()
                    if said.kind == "progress":
                        tell(*said.what)
                    elif said.kind == "standing":
                        watch(said.what)
                    elif said.kind == "fault":
                        raise SimulationFailed(said.what)
                    else:
                        return str(said.what)
                if stop():
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
    kind: Literal["progress", "standing", "fault", "text"]
    what: Any


def _serve(connection: Connection) -> None:
    """Do what is asked, until the other end is gone."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the service ends its children
    plugins.load_plugins()
    with contextlib.suppress(EOFError, OSError):
        while True:
            task, scenario, request = connection.recv()
            connection.send(_done(task, scenario, request, _Reporter(connection)))


def _done(task: Task, scenario: str, request: dict[str, Any], tell: "_Reporter") -> _Message:
    try:
        if task == "plan":
            return _Message("text", as_json(duration_plans.play(request)))
        prepared = scenarios.prepare(scenario, request)
        if task == "play":
            return _Message("text", as_json(prepared.play(tell, tell.on_interim_result)))
        return _Message("text", result_tables.as_csv(prepared.log(task[1])))
    except (EOFError, OSError):
        raise
    except MemoryError:
        return _Message("fault", "there was not enough memory")
    except Exception as error:  # whatever a custom policy raises: the record says it, the process lives on
        return _Message("fault", f"{type(error).__name__}: {error}"[:500])


class _Reporter:
    """Passes progress on, not too often."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._next, self._next_standing = connection, 0.0, 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next or done == total:
            self._next = now + PROGRESS_SECONDS
            self._connection.send(_Message("progress", (done, total)))

    def on_interim_result(self, standing: Callable[[], dict[str, Any]]) -> None:
        """Pass a standing on, made only when it is time."""
        now = time.monotonic()
        if now >= self._next_standing:
            self._next_standing = now + INTERIM_RESULT_SECONDS
            self._connection.send(_Message("standing", as_json(standing())))


def as_json(result: dict[str, Any]) -> str:
    """Return a result as it is kept: the same figures give the same bytes."""
    return json.dumps(result, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
