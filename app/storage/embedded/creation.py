"""The data folder's creation: once, and all or nothing."""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from app.storage.embedded.account import Account
from app.storage.embedded.home import Home, make_private
from app.storage.embedded.locks import open_private
from app.storage.embedded.processes import spawn, startup_error

USER = "groundhog"


def initdb(home: Home, programs: Path, account: Account, lock: int, log: int, *, durable: bool) -> None:
    """Run initdb beside the final place: what a crash leaves half-made is never taken for data."""
    shutil.rmtree(home.unfinished_data, ignore_errors=True)
    make_private(home.unfinished_data, account)
    _write_password(home.password, account)
    start = os.fstat(log).st_size
    options = [*_options(home), *([] if durable else ["--no-sync"])]
    with spawn([programs / "initdb", *options], account, lock, log, signal.SIGKILL) as initdb:
        _wait_or_kill(initdb)
    if initdb.returncode != 0:
        raise startup_error("initdb", home.log, start)
    home.unfinished_data.rename(home.data)
    _sync(home.path)


def _options(home: Home) -> list[str]:
    return [
        f"--pgdata={home.unfinished_data}",
        f"--username={USER}",
        f"--pwfile={home.password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
    ]


def _write_password(path: Path, account: Account) -> None:
    file = open_private(path, account, os.O_WRONLY | os.O_TRUNC)
    with open(file, "w") as password:
        password.write(secrets.token_urlsafe(24))
        password.flush()
        os.fsync(file)


def _wait_or_kill(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a program to end; whatever interrupts us (Ctrl-C) also ends the program."""
    try:
        process.wait()
    finally:
        process.kill()


def _sync(folder: Path) -> None:
    """Make a rename in the folder outlive a power cut."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
