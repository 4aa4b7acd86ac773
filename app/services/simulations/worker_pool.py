"""A bounded number of processes that play simulations, and what becomes of each run in the database."""

import contextlib
import datetime as dt
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from app.errors import GroundhogError, Unavailable
from app.schemas.simulations import State
from app.services.simulations import runs
from app.services.simulations.worker import Cancelled, SimulationFailed, Task, Worker, WorkerDied
from app.storage.database import Database

HEARTBEAT_SECONDS = 0.5  # seconds between two
MAX_QUEUED = 100
TIMEOUT_SECONDS = 20  # seconds of a database away, at the end of a run
STOPPED = "the service stopped before its turn"

logger = logging.getLogger("groundhog.simulations")


@dataclass(slots=True)
class Job:
    """A run, or the export of one, on its way through a process.

    Parameters
    ----------
    key : the run's id, or a key of its own for an export, which has no row
    text : what came out; holds the failure else
    """

    key: str
    task: Task
    scenario: str
    request: dict[str, Any]
    total: int = 1
    done: int = 0
    running: bool = False
    interim_result: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    text: "Future[str | None]" = field(default_factory=Future)

    @property
    def has_row(self) -> bool:
        """Whether a row of the database tells of it."""
        return self.task == "play"

    def on_progress(self, done: int, total: int) -> None:
        """Note how far it is."""
        self.done, self.total = done, total

    def on_interim_result(self, standing: str) -> None:
        """Note how it stands."""
        self.interim_result = standing


class WorkerPool:
    """Plays what is handed in, `size` at a time; threads and processes begin with the first."""

    def __init__(self, database: Database, size: int, clock: Callable[[], dt.datetime]) -> None:
        self._database, self._size, self._clock = database, size, clock
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    def require_capacity(self) -> None:
        """Refuse where too many wait already.

        Raises
        ------
        Unavailable: trying again later helps
        """
        if len(self._jobs) >= MAX_QUEUED:
            raise Unavailable(f"{MAX_QUEUED} simulations wait already; try again later", retry_after=10)

    def submit(self, job: Job) -> "Future[str | None]":
        """Hand a job in; the future has its text, or None where it did not get to an end.

        After `close` nobody would play it: it has failed at once.
        """
        with self._lock:
            self._jobs[job.key] = job
            closing = self._closing.is_set()
            if not closing and not self._threads:
                self._threads = self._started_threads()
        if closing:
            self._finish(job, "failed", fault=STOPPED)
        else:
            self._waiting.put(job)
        return job.text

    def _started_threads(self) -> list[threading.Thread]:
        names = [*(f"simulation {i + 1}" for i in range(self._size)), "simulations' signs of life"]
        works: list[Callable[[], None]] = [self._serve] * self._size + [self._send_heartbeats]
        threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in zip(works, names, strict=True)
        ]
        for thread in threads:
            thread.start()
        return threads

    def running(self, key: str) -> "Future[str | None] | None":
        """Return what a run of this process will come to, or None where it is not one."""
        job = self._jobs.get(key)
        return None if job is None else job.text

    def cancel(self, key: str) -> None:
        """Stop the work on a run, if it is here."""
        job = self._jobs.get(key)
        if job is not None:
            job.stop.set()

    def close(self) -> None:
        """Stop everything; runs that were open are failed, for that reason."""
        self._closing.set()
        with self._lock:
            threads = self._threads
        for _ in threads:
            self._waiting.put(None)
        for thread in threads:
            thread.join()
        for job in list(self._jobs.values()):  # those that never got their turn
            self._finish(job, "failed", fault=STOPPED)

    def _serve(self) -> None:
        player: Worker | None = None
        while (job := self._waiting.get()) is not None and not self._closing.is_set():
            if job.stop.is_set():
                self._finish(job, "cancelled")
                continue
            try:
                player = player or Worker()
            except OSError as error:  # no memory, or too many processes
                self._finish(job, "failed", fault=f"no process could be started: {error.strerror}")
                continue
            job.running = True
            if not self._run(job, player):
                player.end()
                player = None
        if job is not None:
            self._finish(job, "failed", fault=STOPPED)
        if player is not None:
            player.end()

    def _run(self, job: Job, player: Worker) -> bool:
        """Play a job to whatever end; return whether the process is still good."""
        try:
            text = player.run(
                job.task,
                job.scenario,
                job.request,
                job.on_progress,
                job.on_interim_result,
                lambda: self._unwanted(job),
            )
        except Cancelled:
            stopped = "the service stopped" if self._closing.is_set() else None
            self._finish(job, "failed" if stopped else "cancelled", fault=stopped)
            return False
        except WorkerDied as error:
            self._finish(job, "failed", fault=str(error))
            return False
        except SimulationFailed as error:
            self._finish(job, "failed", fault=str(error))
        else:
            job.done = job.total
            self._finish(job, "done", text)
        return True

    def _unwanted(self, job: Job) -> bool:
        return job.stop.is_set() or self._closing.is_set()

    def _finish(self, job: Job, state: State, text: str | None = None, fault: str | None = None) -> None:
        """Write the end of a run down, insisting a while if the database is away, and let go of it."""
        try:
            if job.has_row:
                self._retry(lambda: self._write_end(job, state, text, fault))
        except Exception:  # the thread goes on to the next run; this one will be found left behind
            logger.exception("the end of simulation %s could not be stored", job.key)
        finally:
            self._jobs.pop(job.key, None)
            if state == "failed" and not job.has_row:
                job.text.set_exception(SimulationFailed(fault))
            else:
                job.text.set_result(text)

    def _write_end(self, job: Job, state: State, text: str | None, fault: str | None) -> None:
        with self._database.transaction() as session:
            runs.finish(session, job.key, state, job.done, job.total, text, fault)

    def _retry(self, write: Callable[[], None]) -> None:
        for _ in range(TIMEOUT_SECONDS):
            try:
                write()
            except Unavailable:
                if self._closing.wait(1):
                    break
            else:
                return
        with contextlib.suppress(GroundhogError):
            write()
            return
        logger.warning("the end of a simulation could not be stored; it will be taken for left behind")

    def _send_heartbeats(self) -> None:
        """Tell the database how far the runs are; what was cancelled elsewhere is stopped here."""
        while not self._closing.wait(HEARTBEAT_SECONDS):
            open_ = [job for job in list(self._jobs.values()) if job.has_row]
            if not open_:
                continue
            with contextlib.suppress(Unavailable), self._database.transaction() as session:
                progress = {job.key: (job.done, job.total, job.running, job.interim_result) for job in open_}
                wanted = runs.record_heartbeats(session, progress, self._clock())
                for job in open_:
                    if job.key not in wanted:
                        job.stop.set()
