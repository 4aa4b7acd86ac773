"""Look at a service every few seconds: the memory and open files of its processes, its database connections."""

import threading
import time
from dataclasses import dataclass

from benchmarks import processes
from benchmarks.processes import MEBIBYTE, Usage
from benchmarks.service import Service

CONNECTIONS = "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> %s"


@dataclass(frozen=True, slots=True)
class Look:
    """What a service had at a moment.

    Parameters
    ----------
    seconds : since the beginning
    mebibytes : resident memory of each process, without PostgreSQL's shared buffers
    files : open file descriptors of each process
    connections : to the database
    """

    seconds: float
    mebibytes: dict[str, float]
    files: dict[str, int]
    connections: int


class Watch:
    """Looks at a service from time to time, in a thread of its own, as long as the block lasts."""

    def __init__(self, service: Service, every: float) -> None:
        self.looks: list[Look] = []
        self._service, self._every = service, every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch the service")

    def __enter__(self) -> "Watch":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        begin = time.monotonic()
        with self._service.connect() as connection:
            connection.autocommit = True
            ours = connection.info.backend_pid
            while not self._ended.wait(self._every):
                seconds = time.monotonic() - begin
                found = connection.execute(CONNECTIONS, [ours]).fetchone()
                assert found is not None, "a count has a row"
                named = _named(self._service, ours)
                self.looks.append(
                    Look(
                        round(seconds, 1),
                        {name: round(usage.private / MEBIBYTE, 2) for name, usage in named.items()},
                        {name: usage.files for name, usage in named.items()},
                        found[0],
                    )
                )


def _named(service: Service, ours: int) -> dict[str, Usage]:
    """Return what each process has, by a name that tells it from the others."""
    of_service, of_postgres = (processes.usages([pid]) for pid in service.pids)
    named = {f"service: {_role(usage, service)} {usage.pid}": usage for usage in of_service}
    for usage in of_postgres:
        if usage.pid != ours:
            _, _, what = usage.name.rpartition("postgres: ")
            title = what if what != usage.name else "postmaster"
            named[f"PostgreSQL: {_without_state(title)} {usage.pid}"] = usage
    return named


def _role(usage: Usage, service: Service) -> str:
    if usage.pid == service.pid:
        return "launcher"
    return "resource tracker" if "resource_tracker" in usage.name else "worker"


def _without_state(title: str) -> str:
    """Return what a PostgreSQL process is, without what it does at the moment."""
    return "connection" if "[local]" in title else title.strip()
