"""The server itself: started, watched, started again when it was killed, stopped."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from app.storage.embedded.account import Account, server_account
from app.storage.embedded.binaries import programs_for
from app.storage.embedded.creation import USER, initdb
from app.storage.embedded.errors import CannotStart
from app.storage.embedded.home import Home
from app.storage.embedded.locks import Owner, OwnerLock, holder_of, open_private, try_lock
from app.storage.embedded.processes import open_log, spawn, startup_error, stop_leftover

DATABASE = "groundhog"
STOP_SECONDS = 60


def _say_nothing(_: str) -> None:
    """Take a progress message and show it to nobody."""


class EmbeddedPostgres(AbstractContextManager["EmbeddedPostgres"]):
    """One PostgreSQL server of our own, on the data in one folder, reachable through a private socket only.

    Start it from the main thread: on Linux the kernel stops the server when the *thread* that started it ends.

    Parameters
    ----------
    home : folder with its data, created where it is missing; see `app.storage.embedded.home`
    settings : PostgreSQL's own settings, such as ``{"fsync": "off"}`` for data that may be lost
    say : takes a sentence about each slow step
    """

    def __init__(
        self,
        home: Path,
        settings: Mapping[str, str] | None = None,
        *,
        say: Callable[[str], None] = _say_nothing,
    ) -> None:
        self.home = Home(home)
        self.settings = dict(settings or {})
        self._say = say
        self._owner: OwnerLock | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    def start(self) -> str:
        """Start the server, creating its data where there is none, and return the URL of its database.

        Raises
        ------
        AlreadyRunning: another living process owns the home
        CannotStart: anything else that has to be changed first
        """
        self._stopping.clear()
        try:
            account = server_account(self.home.data)
            self._take(account)
            self._run(account)
            self._create_database()
        except OSError as error:
            self.stop()
            where = error.filename if isinstance(error.filename, str) else self.home.path
            raise CannotStart(
                f"The embedded PostgreSQL cannot use {where} ({error.strerror}): "
                "choose another GROUNDHOG_HOME, or set DATABASE_URL."
            ) from error
        except BaseException:
            self.stop()
            raise
        return self.announce(None)

    def _take(self, account: Account) -> None:
        """Become the home's owner."""
        self.home.open(account)
        owner = OwnerLock(self.home.owner_lock, account)
        try:
            owner.take()
        except BaseException:
            owner.close()
            raise
        self._owner = owner

    def _run(self, account: Account) -> None:
        lock = open_private(self.home.server_lock, account)
        log = open_log(self.home.log, account)
        try:
            self._wait_for_leftovers(lock)
            programs = programs_for(account, self.home.path)
            if not self.home.data.exists():
                self._say(f"creating the database in {self.home.data} (once) ...")
                durable = self.settings.get("fsync") != "off"
                initdb(self.home, programs, account, lock, log, durable=durable)
            (self.home.data / "postmaster.pid").unlink(missing_ok=True)  # stale: the lock says nobody is left
            self._launch(programs, account, lock, log)
        finally:
            os.close(lock)  # from here on it is held by the server alone
            os.close(log)

    def _wait_for_leftovers(self, lock: int) -> None:
        """Wait until no process of an earlier server is left, asking it to stop if it does not by itself."""
        begin, asked = time.monotonic(), False
        while not try_lock(lock):
            waited = time.monotonic() - begin
            if waited > 1 and not asked:
                self._say("waiting for the database of an earlier run to stop ...")
                stop_leftover(self.home.data)
                asked = True
            if waited > STOP_SECONDS:
                raise CannotStart(f"A server of an earlier run uses {self.home.data} and does not stop.")
            time.sleep(0.01)

    def _launch(self, programs: Path, account: Account, lock: int, log: int) -> None:
        self._sockets = self.home.socket_folder(account)
        start_of_log = os.fstat(log).st_size
        command: list[str | Path] = [programs / "postgres", "-D", self.home.data, *self._options()]
        self._server = spawn(command, account, lock, log, signal.SIGINT)
        while not self._ready():
            if self._server.poll() is not None:
                raise startup_error("PostgreSQL", self.home.log, start_of_log)
            time.sleep(0.01)

    def _options(self) -> list[str]:
        quoted_sockets = '"' + str(self._sockets).replace('"', '""') + '"'
        options = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": quoted_sockets,
            "unix_socket_permissions": "0700",
            **self.settings,
        }
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _ready(self) -> bool:
        """Tell whether the server says, in line 8 of its pid file, that it takes connections."""
        with suppress(OSError, IndexError):
            return (self.home.data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
        return False

    def _create_database(self) -> None:
        url = self.url_for("postgres").replace("+psycopg", "", 1)
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                found = connection.execute("select from pg_database where datname = %s", [DATABASE])
                if found.fetchone() is None:
                    connection.execute(f'create database "{DATABASE}"'.encode())
        except psycopg.OperationalError as error:  # a password file that was changed, a full disk
            raise CannotStart(f"The embedded PostgreSQL is up, but: {str(error).strip()}") from error

    def announce(self, service: str | None) -> str:
        """Tell a second service, and commands, what runs here and where; return the database's URL."""
        assert self._owner is not None, "start() comes first"
        url = self.url_for(DATABASE)
        self._owner.tell(Owner(pid=os.getpid(), url=url, service=service))
        return url

    def url_for(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database on this server."""
        password = quote(self.home.password.read_text(), safe="")
        return f"postgresql+psycopg://{USER}:{password}@/{quote(database)}?host={quote(str(self._sockets))}"

    def keep_running(self) -> None:
        """From now on, start the server again when it ends without having been asked to (killed, out of memory).

        The thread lives as long as the process, because the kernel takes the end of the thread that starts the
        server for ours.
        """
        threading.Thread(target=self._restart_whenever_it_ends, name="watch PostgreSQL", daemon=True).start()

    def _restart_whenever_it_ends(self) -> None:
        while (server := self._server) is not None and not self._stopping.is_set():
            server.wait()
            with self._changing:
                if self._stopping.is_set():
                    return
                self._say("PostgreSQL has ended; starting it again ...")
                try:
                    self._run(server_account(self.home.data))
                except (CannotStart, OSError) as error:  # the disk is still full, say: again in a second
                    self._say(str(error))
            self._stopping.wait(1)

    def stop(self) -> None:
        """Stop the server: what is running is rolled back, what is committed is on disk. Safe to repeat."""
        self._stopping.set()
        with self._changing:
            server, self._server = self._server, None
            owner, self._owner = self._owner, None
            if server is not None:
                _end(server)
            if owner is not None:
                owner.close()


def _end(server: "subprocess.Popen[bytes]") -> None:
    for request, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10), (signal.SIGKILL, None)):
        server.send_signal(request)
        with suppress(subprocess.TimeoutExpired):
            server.wait(patience)
            return


def running_url(home: Path) -> str | None:
    """Return the URL of the database that a living process runs in this home, or None.

    Raises
    ------
    CannotStart: the home belongs to another user
    """
    holder = running_owner(home)
    return holder.url if holder else None


def running_owner(home: Path) -> Owner | None:
    """Return what the living process that owns this home says of itself, or None where there is none."""
    try:
        return holder_of(Home(home).owner_lock)
    except PermissionError as error:
        raise CannotStart(
            f"The data in {home} belongs to another user: be that user, or choose another GROUNDHOG_HOME."
        ) from error
