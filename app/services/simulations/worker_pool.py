"""A bounded number of worker processes that play simulations, and the state of each run in the database."""

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
from app.schemas.simulations.simulations import State
from app.services.simulations import runs
from app.services.simulations.worker import Cancelled, SimulationFailed, Task, Worker, WorkerDied
from app.storage.database import Database

HEARTBEAT_SECONDS = 0.5
MAX_QUEUED = 100
TIMEOUT_SECONDS = 20
"""How long the end of a run is tried to be stored while the database is not available."""
STOPPED = "the service stopped before it began"

logger = logging.getLogger("groundhog.simulations")


@dataclass(slots=True)
class Job:
    """A run, or the export of one, in the pool.

    Parameters
    ----------
    key : the run's id, or another unique key for an export, which has no row in the database
    text : has the result, or the failure
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
        """Whether it has a row in the database."""
        return self.task == "play"

    def on_progress(self, done: int, total: int) -> None:
        """Record its progress."""
        self.done, self.total = done, total

    def on_interim_result(self, interim_result: str) -> None:
        """Record its interim result."""
        self.interim_result = interim_result


class WorkerPool:
    """Plays submitted jobs, `size` at a time; threads and processes start with the first job."""

    def __init__(self, database: Database, size: int, clock: Callable[[], dt.datetime]) -> None:
        self._database, self._size, self._clock = database, size, clock
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    def require_capacity(self) -> None:
        """Reject a job if too many are waiting.

        Raises
        ------
        Unavailable: try again later
        """
        if len(self._jobs) >= MAX_QUEUED:
            raise Unavailable(
                f"{MAX_QUEUED} simulations are already waiting; try again later", retry_after=10
            )

    def submit(self, job: Job) -> "Future[str | None]":
        """Submit a job; the future has its text, or None where it was not completed.

        After `close` it fails at once.
        """
        with self._lock:
            self._jobs[job.key] = job
            closing = self._closing.is_set()
            if not closing and not self._threads:
                self._threads = self._started_threads()
        if closing:
            self._finish(job, "failed", error=STOPPED)
        else:
            self._waiting.put(job)
        return job.text

    def _started_threads(self) -> list[threading.Thread]:
        names = [*(f"simulation {i + 1}" for i in range(self._size)), "simulation heartbeats"]
        works: list[Callable[[], None]] = [self._serve] * self._size + [self._send_heartbeats]
        threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in zip(works, names, strict=True)
        ]
        for thread in threads:
            thread.start()
        return threads

    def running(self, key: str) -> "Future[str | None] | None":
        """Return the future of a job of this process, or None where it is not here."""
        job = self._jobs.get(key)
        return None if job is None else job.text

    def cancel(self, key: str) -> None:
        """Stop a job, if it is here."""
        job = self._jobs.get(key)
        if job is not None:
            job.stop.set()

    def close(self) -> None:
        """Stop everything; unfinished runs fail."""
        self._closing.set()
        with self._lock:
            threads = self._threads
        for _ in threads:
            self._waiting.put(None)
        for thread in threads:
            thread.join()
        for job in list(self._jobs.values()):  # those that never began
            self._finish(job, "failed", error=STOPPED)

    def _serve(self) -> None:
        worker: Worker | None = None
        while (job := self._waiting.get()) is not None and not self._closing.is_set():
            if job.stop.is_set():
                self._finish(job, "cancelled")
                continue
            try:
                worker = worker or Worker()
            except OSError as error:  # out of memory, or too many processes
                self._finish(job, "failed", error=f"no process could be started: {error.strerror}")
                continue
            job.running = True
            if not self._run(job, worker):
                worker.end()
                worker = None
        if job is not None:
            self._finish(job, "failed", error=STOPPED)
        if worker is not None:
            worker.end()

    def _run(self, job: Job, worker: Worker) -> bool:
        """Play a job to its end; return whether the process can play another."""
        try:
            text = worker.run(
                job.task,
                job.scenario,
                job.request,
                job.on_progress,
                job.on_interim_result,
                lambda: self._is_cancelled(job),
            )
        except Cancelled:
            stopped = "the service stopped" if self._closing.is_set() else None
            self._finish(job, "failed" if stopped else "cancelled", error=stopped)
            return False
        except WorkerDied as error:
            self._finish(job, "failed", error=str(error))
            return False
        except SimulationFailed as error:
            self._finish(job, "failed", error=str(error))
        else:
            job.done = job.total
            self._finish(job, "done", text)
        return True

    def _is_cancelled(self, job: Job) -> bool:
        return job.stop.is_set() or self._closing.is_set()

    def _finish(self, job: Job, state: State, text: str | None = None, error: str | None = None) -> None:
        """Store the end of a run, with retries while the database is away, and remove it from the pool."""
        try:
            if job.has_row:
                self._retry(lambda: self._store_end(job, state, text, error))
        except Exception:  # the thread continues with the next run; this one is orphaned
            logger.exception("the end of simulation %s could not be stored", job.key)
        finally:
            self._jobs.pop(job.key, None)
            if state == "failed" and not job.has_row:
                job.text.set_exception(SimulationFailed(error))
            else:
                job.text.set_result(text)

    def _store_end(self, job: Job, state: State, text: str | None, error: str | None) -> None:
        with self._database.transaction() as session:
            runs.finish(session, job.key, state, job.done, job.total, text, error)

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
        logger.warning("the end of a simulation could not be stored; it is orphaned")

    def _send_heartbeats(self) -> None:
        """Store the progress of the runs; stop those that were cancelled elsewhere."""
        while not self._closing.wait(HEARTBEAT_SECONDS):
            stored = [job for job in list(self._jobs.values()) if job.has_row]
            if not stored:
                continue
            with contextlib.suppress(Unavailable), self._database.transaction() as session:
                progress = {job.key: (job.done, job.total, job.running, job.interim_result) for job in stored}
                active = runs.record_heartbeats(session, progress, self._clock())
                for job in stored:
                    if job.key not in active:
                        job.stop.set()
