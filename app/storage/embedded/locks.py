"""Locks that the kernel drops when their holders are gone, however they went."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from app.storage.embedded.account import Account
from app.storage.embedded.errors import AlreadyRunning

TIMEOUT_SECONDS = 0.5  # seconds; longer than any process holds the lock only to look


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a home: written into the lock's file, true only while the lock is held."""

    pid: int | None = None
    url: str | None = None
    service: str | None = None


class OwnerLock:
    """The right to run a home's server; the process that has it keeps it until it lets go or dies."""

    def __init__(self, path: Path, account: Account) -> None:
        self._path = path
        self._file = open_private(path, account)
        self._owner = Owner()

    def take(self) -> None:
        """Take the lock, or raise AlreadyRunning with what its holder says of itself."""
        give_up = time.monotonic() + TIMEOUT_SECONDS
        while not try_lock(self._file):
            if time.monotonic() > give_up:
                holder = _read(self._file)
                raise AlreadyRunning(self._path.parent, holder.pid, holder.url, holder.service)
            time.sleep(0.02)
        self.tell(Owner(pid=os.getpid()))

    def tell(self, owner: Owner) -> None:
        """Let others know who runs here."""
        self._owner = owner
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(asdict(owner)).encode(), 0)

    def close(self) -> None:
        """Let go of the lock, if it was taken."""
        if self._owner.pid:
            os.ftruncate(self._file, 0)
        os.close(self._file)


def holder_of(path: Path) -> Owner | None:
    """Return who holds the owner's lock at ``path``, or None where nobody does."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return None if try_lock(file, fcntl.LOCK_SH) else _read(file)
    finally:
        os.close(file)


def _read(file: int) -> Owner:
    try:
        return Owner(**json.loads(os.pread(file, 10_000, 0)))
    except (ValueError, TypeError):  # between truncation and writing
        return Owner()


def try_lock(file: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Take the lock if it is free, without waiting."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_private(path: Path, account: Account, flags: int = os.O_RDWR) -> int:
    """Open a file that only the account (and root) can read, never through a link that another user planted."""
    file = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    account.own(file)
    return file
