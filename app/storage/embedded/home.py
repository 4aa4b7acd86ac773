"""The folder that holds everything of one embedded server.

::

    home/                 ours; mode 0711 when root owns it, so that the server's account can pass
      owner.lock          held by the one service or command that runs the server; says who that is
      server.lock         inherited by every process of the server; free only when all of them are gone
      password            of the database user, 0600
      data18/             PostgreSQL's own, 0700; appears, complete, by one rename
      run/                the socket, 0700
      server.log          what PostgreSQL says
      programs18-.../     a copy of PostgreSQL, where its account cannot reach the installed one
      telemetry/          the Prometheus metrics of several workers
"""

import hashlib
import os
import tempfile
from pathlib import Path

from app.storage.embedded.account import Account
from app.storage.embedded.binaries import MAJOR
from app.storage.embedded.errors import CannotStart

MAX_SOCKET_PATH = 103  # bytes that fit on every system: Linux takes 107, macOS 103
SOCKET_NAME = ".s.PGSQL.5432"
MAX_HOME_PATH = 900  # PostgreSQL stops at 1024 bytes, and needs some below the data folder


class Home:
    """The paths inside a data home, and the folders made for the server's account."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.data = self.path / f"data{MAJOR}"
        self.unfinished_data = self.path / f"data{MAJOR}-unfinished"
        self.password = self.path / "password"
        self.log = self.path / "server.log"
        self.owner_lock = self.path / "owner.lock"
        self.server_lock = self.path / "server.lock"

    def open(self, account: Account) -> None:
        """Create the home if need be, and see to it that the account can enter it."""
        if len(os.fsencode(self.path)) > MAX_HOME_PATH:
            raise CannotStart(
                f"The path {self.path} is too long for PostgreSQL: choose a shorter GROUNDHOG_HOME."
            )
        nearest = next(folder for folder in (self.path, *self.path.parents) if folder.exists())
        if nearest != self.path:
            _require_reachable(nearest, account)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not account.reaches(self.path) and self.path.stat().st_uid == os.geteuid():
            self.path.chmod(0o711)
        _require_reachable(self.path, account)

    def socket_folder(self, account: Account) -> Path:
        """Return an empty private folder for the socket: in the home, or where that path is too long, in /tmp."""
        folder = self.path / "run"
        if not _fits(folder):
            name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
            folder = Path(tempfile.gettempdir()) / f"groundhog-{account.uid}-{name}"
        if not _fits(folder):
            raise CannotStart(f"The path {folder} is too long for a socket: choose a shorter GROUNDHOG_HOME.")
        make_private(folder, account)
        for leftover in folder.glob(f"{SOCKET_NAME}*"):  # a killed server's would block the next one
            leftover.unlink()
        return folder


def make_private(folder: Path, account: Account) -> None:
    """Create a folder for the account alone, or make sure that the one there is just that."""
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        status = folder.lstat()
        if not folder.is_dir() or folder.is_symlink() or status.st_uid != account.uid:
            raise CannotStart(f"{folder} is not a folder of '{account.name}': remove it first.") from None
        if status.st_mode & 0o777 != 0o700:
            folder.chmod(0o700)


def _fits(folder: Path) -> bool:
    """Tell whether a socket in the folder can be named: bytes are limited, and a comma separates hosts."""
    return len(os.fsencode(folder / SOCKET_NAME)) <= MAX_SOCKET_PATH and "," not in str(folder)


def _require_reachable(folder: Path, account: Account) -> None:
    if account.reaches(folder):
        return
    closed = next(part for part in (*reversed(folder.parents), folder) if not account.reaches(part))
    raise CannotStart(
        f"The account '{account.name}', which runs PostgreSQL here, may not enter {closed}: "
        "choose a GROUNDHOG_HOME that it can reach, such as /var/lib/groundhog."
    )
