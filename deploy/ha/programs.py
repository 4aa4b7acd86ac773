"""The programs of Debian that a cluster consists of, and how they are run."""

import os
import shutil
import signal
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app.storage.embedded.account import Account
from app.storage.embedded.processes import spawn

PACKAGES = {"patroni": "patroni", "etcd": "etcd-server", "haproxy": "haproxy"}
STOP_SECONDS = 30


class Missing(Exception):
    """A program is not installed; the message says how to have it."""


def postgresql() -> Path:
    """Return the folder of Debian's newest PostgreSQL.

    Raises
    ------
    Missing: it, or another program of a cluster, is not there
    """
    lacking = [package for program, package in PACKAGES.items() if _path_of(program) is None]
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        lacking.append("postgresql")
    if lacking:
        raise Missing(f"not on this machine (Debian 12: apt install {' '.join(lacking)} python3-etcd)")
    return found[-1].parent


def _path_of(program: str | Path) -> str | None:
    """Return where a program is; haproxy lies where ordinary users do not look."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")


class Program:
    """A running program that writes a log, as an account that may run PostgreSQL; it ends when we end."""

    def __init__(self, command: Sequence[str | Path], account: Account, log: Path) -> None:
        path = _path_of(command[0])
        assert path is not None, "postgresql() has looked for it"
        self._log = log
        with log.open("ab") as file:
            self._process = spawn([path, *command[1:]], account, file.fileno(), file.fileno(), signal.SIGTERM)

    @property
    def pids(self) -> list[int]:
        """Return its process and those it has started."""
        return family(self._process.pid)

    @property
    def running(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-2000:]

    def wait(self) -> None:
        """Wait until it has ended, as it was made to."""
        self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """Ask it to end in good order, and wait."""
        self._process.terminate()
        self.wait()


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it, or none where it is gone."""
    children = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            children[int(parent)].append(int(folder.name))
    found = [pid] if Path(f"/proc/{pid}").exists() else []
    for one in found:
        found.extend(children[one])
    return found
