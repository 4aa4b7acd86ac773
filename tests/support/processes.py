"""Data homes for servers of the tests' own, and processes that hold them, ended by their pid."""

import fcntl
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.storage.embedded import EmbeddedPostgres
from tests.support import ROOT
from tests.support.service_process import without_settings

THROW_AWAY = {"fsync": "off"}

Spawn = Callable[..., "subprocess.Popen[str]"]


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that the server's account can enter, unlike pytest's own when root runs the tests."""
    path = Path(tempfile.mkdtemp(prefix="gh-"))
    path.chmod(0o711)
    yield path
    _remove(path)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


def _remove(path: Path) -> None:
    """Remove a folder once the servers in it have stopped."""
    for lock in path.glob("**/server.lock"):
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
    shutil.rmtree(path)


@pytest.fixture
def home(folder: Path) -> Path:
    return folder / "home"


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A home with a database in it, made once: creating one takes most of a second."""
    with open_folder() as path:
        with EmbeddedPostgres(path, THROW_AWAY):
            pass
        yield path


@pytest.fixture
def used_home(home: Path, template: Path) -> Path:
    """A home of its own that was used before."""
    subprocess.run(["cp", "-a", template, home], check=True)
    return home


@contextmanager
def processes() -> Iterator[Spawn]:
    """Give a way to start Python processes of the project; those that still run in the end are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd="/",  # where no .env lies
            env={**without_settings(), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.communicate(timeout=300)


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    with processes() as start:
        yield start


def postmaster(home: Path) -> int:
    """The pid of the server that runs in a home."""
    return int((home / "data18" / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
