"""Start everything in order: a port, a database, its schema, the web server; and stop it in reverse order.

The main thread owns the embedded PostgreSQL, never a worker: the kernel stops that server when the thread that
started it ends.
"""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from types import FrameType

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from app import __version__
from app.errors import Unauthorized, Unavailable
from app.server.web_server import serve_web
from app.services.access import api_keys
from app.settings import ServiceSettings
from app.storage import migrate
from app.storage.database import Database
from app.storage.embedded import AlreadyRunning, EmbeddedPostgres, running_owner
from app.web import vega_bundle

STARTUP_TIMEOUT_SECONDS = 30
"""How long a command waits for a server that is starting."""
DEDICATED_CONNECTIONS = 6
"""Connections of a process outside its pool: versions, assignments (two), flags, keys, metrics."""


def serve(settings: ServiceSettings) -> None:
    """Serve until Ctrl-C or SIGTERM; then stop the web server, and the database after it.

    Raises
    ------
    Unavailable: the port, the data home or the database is not available; the message has what to do
    Unauthorized: others can reach the address, and there is no API key
    """
    with exit_on_signals():
        _reject_second_service(settings)
        with closing(listen(settings.host, settings.port)) as listener:
            address = _address(listener)
            with configured_or_embedded_database(settings, address) as url:
                (upgrade if settings.migrate else wait_for_schema)(url)
                _ensure_admin_key(settings, url)
                _build_charts()
                announce(_banner(settings, address, url))
                metrics_folder = None if settings.database_url else settings.home / "telemetry"
                serve_web(settings.model_copy(update={"database_url": url}), listener, metrics_folder)


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """End the block on Ctrl-C and SIGTERM without an error: everything is closed, and the exit code is 0."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def announce(sentence: str) -> None:
    """Print what happens, for the operator; the log is separate."""
    print(sentence, flush=True)


def _reject_second_service(settings: ServiceSettings) -> None:
    """Report a service that is already running, before the less specific error of its port."""
    if settings.database_url is None and (owner := running_owner(settings.home)):
        raise AlreadyRunning(settings.home, owner.pid, owner.url, owner.service)


def _build_charts() -> None:
    """Build the bundle that draws the charts where set-up has not; without it, the dashboard shows tables."""
    try:
        vega_bundle.make()
    except OSError as error:
        announce(f"The dashboard shows tables without charts: {error}")


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; it is opened before anything else is started."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, place = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        both = place[0] == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(place[:2], family=family, backlog=2048, dualstack_ipv6=both)
    except OSError as error:
        reason = str(error.strerror).split(" (while", 1)[0]
        raise Unavailable(
            f"Cannot listen on {host} port {port} ({reason}): "
            "choose another with --host and --port, or GROUNDHOG_HOST and GROUNDHOG_PORT; port 0 is any free one."
        ) from error


def _address(listener: socket.socket) -> str:
    """Return the URL to open: if the service listens on all addresses, one of this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def configured_or_embedded_database(settings: ServiceSettings, service: str | None = None) -> Iterator[str]:
    """Yield the address of the database: DATABASE_URL, or of an embedded server that runs as long as the block."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedPostgres(settings.home, _server_settings(settings), say=announce) as server:
        server.keep_running()
        yield server.announce(service)


@contextmanager
def running_or_embedded_database(settings: ServiceSettings) -> Iterator[str]:
    """Yield a command's database: of a running service, or else of `configured_or_embedded_database`."""
    with ExitStack() as opened:
        yield _borrow_or_open(settings, opened)


def _borrow_or_open(settings: ServiceSettings, opened: ExitStack) -> str:
    deadline = time.monotonic() + STARTUP_TIMEOUT_SECONDS
    while True:
        try:
            return opened.enter_context(configured_or_embedded_database(settings))
        except AlreadyRunning as running:
            if running.url is not None:
                return running.url
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)  # the other service is starting


def _server_settings(settings: ServiceSettings) -> dict[str, str]:
    """Return how many connections the server permits: all of the workers, and some for commands."""
    opened = (settings.pool_size + DEDICATED_CONNECTIONS) * settings.workers
    return {"max_connections": str(max(100, opened + 20))}


def upgrade(url: str) -> None:
    """Upgrade the schema, or raise Unavailable with one sentence if the database cannot be reached."""
    with _unavailable_on_connect_error(url):
        migrate.upgrade(url)


def wait_for_schema(url: str) -> None:
    """Wait until another process has upgraded the schema, and announce it once."""
    with _unavailable_on_connect_error(url):
        error = migrate.schema_error_at(url)
        if error is not None:
            announce(
                f"Waiting for `groundhog migrate` of {redacted_url(url)} (GROUNDHOG_MIGRATE is false): {error}"
            )
        while migrate.schema_error_at(url) is not None:
            time.sleep(1)


@contextmanager
def _unavailable_on_connect_error(url: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Unavailable(f"Cannot use the database {redacted_url(url)}: {reason}") from error


def _ensure_admin_key(settings: ServiceSettings, url: str) -> None:
    """Store the key of GROUNDHOG_ADMIN_KEY, and serve other machines only if there is a key."""
    at_url = settings.model_copy(update={"database_url": url})
    with closing(Database(at_url)) as database, database.transaction() as session:
        if settings.admin_key is not None and not settings.read_only:
            api_keys.upsert_admin_key(session, settings.admin_key.get_secret_value(), datetime.now(UTC))
        if not settings.on_loopback and not api_keys.any_exist(session):
            raise Unauthorized(
                f"{settings.host} can be reached from other machines, and there is no API key yet: create one"
                " with `groundhog keys create NAME --scope admin`, or set GROUNDHOG_ADMIN_KEY; without a key the"
                " service is served on 127.0.0.1 only."
            )


def redacted_url(url: str) -> str:
    """Return the name and host of a database, without the secrets in its URL."""
    parts = make_url(url)
    host = parts.host or parts.query.get("host") or "this machine"
    return f"{parts.database or parts.username} on {host}" + (f" port {parts.port}" if parts.port else "")


def _banner(settings: ServiceSettings, address: str, url: str) -> str:
    external = settings.database_url is not None
    data = (
        f"{redacted_url(url)} (DATABASE_URL)"
        if external
        else f"{settings.home.absolute()} (embedded PostgreSQL)"
    )
    return "\n".join([
        f"Groundhog {__version__} on {address}",
        f"  dashboard   {address}/",
        f"  API pages   {address}/docs",
        f"  Prometheus  {address}/metrics",
        f"  data        {data}",
        "  stop        Ctrl-C",
    ])  # fmt: skip
