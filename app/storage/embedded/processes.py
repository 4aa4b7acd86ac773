"""Processes of PostgreSQL: they run as its account, hold its lock, and end when we end."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.storage.embedded.account import Account
from app.storage.embedded.errors import CannotStart
from app.storage.embedded.locks import open_private

PR_SET_PDEATHSIG = 1
LARGEST_LOG = 10_000_000


def spawn(
    command: Sequence[str | Path], account: Account, lock: int, log: int, parent_death_signal: signal.Signals
) -> "subprocess.Popen[bytes]":
    """Start a program that has the server's lock and gets ``parent_death_signal`` when the thread here dies.

    In a session of its own: Ctrl-C in a terminal is for the service, which then stops the server in good order.
    """
    return subprocess.Popen(  # noqa: S603 - our own program and paths
        [os.fspath(part) for part in command],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=(lock,),
        start_new_session=True,
        preexec_fn=_end_with_parent(parent_death_signal),
        **account.identity,
    )


def _end_with_parent(parent_death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what the child runs before its program; after the change of user, which would undo it."""
    if sys.platform != "linux":
        return None  # there the next start stops what is left
    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, parent_death_signal)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_kernel


def open_log(path: Path, account: Account) -> int:
    """Open the server's log for appending; a large one makes way first."""
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    return open_private(path, account, os.O_RDWR | os.O_APPEND)


def startup_error(program: str, path: Path, start: int) -> CannotStart:
    """Return the error for a program that ended: the last thing it complained of in its log."""
    lines = path.read_bytes()[start:].decode(errors="replace").splitlines()
    complaints = [line for line in lines if "FATAL" in line or "error:" in line or "PANIC" in line]
    last = (complaints or lines or ["it said nothing"])[-1]
    return CannotStart(f"{program} did not start: {last.strip()} (more in {path})")


def stop_leftover(data: Path) -> None:
    """Ask a server that outlived its service to stop; its lock has shown that it lives."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        if _runs_on(pid, data):
            os.kill(pid, signal.SIGINT)
    except (OSError, ValueError):
        return  # it is gone, or not far enough to be asked


def _runs_on(pid: int, data: Path) -> bool:
    """Tell whether the process has the data folder on its command line: the number may be another's by now."""
    if sys.platform != "linux":
        return True
    return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
