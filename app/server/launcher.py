"""Start and stop things in order: a port, a database, its schema, the web server; then all of it backwards.

The main thread owns the embedded PostgreSQL, never a worker: the kernel stops that server when the thread that
started it ends.
"""

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing import connection, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, cast

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app import __version__
from app.errors import Unauthorized, Unavailable
from app.observability.logs import configure_logging
from app.server.slow_client_protocol import ClientTimeouts, SlowClientProtocol
from app.services.access import api_keys
from app.settings import ServiceSettings
from app.storage import migrate
from app.storage.database import Database
from app.storage.embedded import AlreadyRunning, EmbeddedPostgres, running_owner
from app.web import charts

STARTUP_TIMEOUT_SECONDS = 30  # seconds that a command waits for a server that is just starting
DEDICATED_CONNECTIONS = 6
"""Connections that a process opens for what requests share: versions, assignments (two), flags, keys, figures."""


def serve(settings: ServiceSettings) -> None:
    """Serve until Ctrl-C or SIGTERM; then stop the web server, and the database after it.

    Raises
    ------
    Unavailable: the port, the data home or the database cannot be had; the message says what to do
    Unauthorized: others can reach the address, and there is no API key
    """
    with exit_on_signals():
        _reject_second_service(settings)
        with closing(listen(settings.host, settings.port)) as listener:
            address = _address(listener)
            with configured_or_embedded_database(settings, address) as url:
                (upgrade if settings.migrate else wait_for_schema)(url)
                _ensure_admin_key(settings, url)
                _make_charts()
                announce(_banner(settings, address, url))
                telemetry = None if settings.database_url else settings.home / "telemetry"
                _serve_web(settings.model_copy(update={"database_url": url}), listener, telemetry)


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block like a wish, not like an error: everything is closed, exit code 0."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def announce(sentence: str) -> None:
    """Show a person what is going on; log lines go elsewhere."""
    print(sentence, flush=True)


def _reject_second_service(settings: ServiceSettings) -> None:
    """Name the running service before its port is found taken: that sentence says more."""
    if settings.database_url is None and (owner := running_owner(settings.home)):
        raise AlreadyRunning(settings.home, owner.pid, owner.url, owner.service)


def _make_charts() -> None:
    """Make what draws the dashboard's charts where set-up has not; without it, the page has its tables."""
    try:
        charts.make()
    except OSError as error:
        announce(f"The dashboard shows tables without charts: {error}")


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket: taken before anything lasting is started, and nobody else's from then on."""
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
    """Return the URL to open: where we listen everywhere, this machine's own."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def configured_or_embedded_database(settings: ServiceSettings, service: str | None = None) -> Iterator[str]:
    """Yield the address of the database: DATABASE_URL, or a server of our own that runs as long as the block."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedPostgres(settings.home, _server_settings(settings), say=announce) as server:
        server.keep_running()
        yield server.announce(service)


@contextmanager
def running_or_embedded_database(settings: ServiceSettings) -> Iterator[str]:
    """Yield a command's database: a running service's, else as `configured_or_embedded_database` does."""
    with ExitStack() as opened:
        yield _borrow_or_open(settings, opened)


def _borrow_or_open(settings: ServiceSettings, opened: ExitStack) -> str:
    give_up = time.monotonic() + STARTUP_TIMEOUT_SECONDS
    while True:
        try:
            return opened.enter_context(configured_or_embedded_database(settings))
        except AlreadyRunning as running:
            if running.url is not None:
                return running.url
            if time.monotonic() > give_up:
                raise
        time.sleep(0.1)  # the other one is just starting


def _server_settings(settings: ServiceSettings) -> dict[str, str]:
    """Return room for every connection that the workers may open, and some for commands."""
    opened = (settings.pool_size + DEDICATED_CONNECTIONS) * settings.workers
    return {"max_connections": str(max(100, opened + 20))}


def upgrade(url: str) -> None:
    """Bring the schema up to date, or say in one sentence that the database cannot be reached."""
    with _unavailable_on_connect_error(url):
        migrate.upgrade(url)


def wait_for_schema(url: str) -> None:
    """Wait until somebody else has brought the schema up to date, and say once that we do."""
    with _unavailable_on_connect_error(url):
        fault = migrate.schema_fault_at(url)
        if fault is not None:
            announce(
                f"Waiting for `groundhog migrate` of {redacted_url(url)} (GROUNDHOG_MIGRATE is false): {fault}"
            )
        while migrate.schema_fault_at(url) is not None:
            time.sleep(1)


@contextmanager
def _unavailable_on_connect_error(url: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Unavailable(f"Cannot use the database {redacted_url(url)}: {reason}") from error


def _ensure_admin_key(settings: ServiceSettings, url: str) -> None:
    """Keep the key of GROUNDHOG_ADMIN_KEY, and serve others than this machine only if there is a key."""
    at_url = settings.model_copy(update={"database_url": url})
    with closing(Database(at_url)) as database, database.transaction() as session:
        if settings.admin_key is not None and not settings.read_only:
            api_keys.upsert_admin_key(session, settings.admin_key.get_secret_value(), datetime.now(UTC))
        if not settings.on_loopback and not api_keys.any_exist(session):
            raise Unauthorized(
                f"{settings.host} can be reached by others, and there is no API key yet: make one with"
                " `groundhog keys create NAME --scope admin`, or set GROUNDHOG_ADMIN_KEY; only on"
                " 127.0.0.1 the service is open without."
            )


def redacted_url(url: str) -> str:
    """Return where a database is, without the secrets in its URL."""
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


def _serve_web(settings: ServiceSettings, listener: socket.socket, telemetry: Path | None) -> None:
    configure_logging(settings.log_level, settings.log_format)
    if settings.workers == 1:
        from app.main import create_app

        application = create_app(settings)
        _freeze_startup_objects()
        Server(web_config(settings, application)).run(sockets=[listener])
    else:
        with _multiprocess_metrics(telemetry):
            _serve_with_workers(settings, listener)


def web_config(settings: ServiceSettings, app: ASGIApp | str, **more: Any) -> Config:
    """Return how uvicorn serves an application here."""
    patience = ClientTimeouts(
        settings.max_head_bytes,
        settings.header_timeout_seconds,
        settings.idle_timeout_seconds,
        settings.min_body_rate,
    )
    return Config(
        app,
        loop="uvloop",
        http=cast(
            "type[SlowClientProtocol]", partial(SlowClientProtocol, patience)
        ),  # all that uvicorn does is to call it
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",  # the banner says the rest, and telemetry logs the requests
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        timeout_worker_healthcheck=60,  # many workers on a small machine take long to import everything
        **more,
    )


def _serve_with_workers(settings: ServiceSettings, listener: socket.socket) -> None:
    """Serve from several processes, which get the database's address through their environment."""
    assert settings.database_url is not None, "the launcher settled it"
    os.environ.update(
        DATABASE_URL=settings.database_url,
        GROUNDHOG_HOST=settings.host,  # decides whether the service may be open
        GROUNDHOG_WORKERS=str(settings.workers),
    )
    config = web_config(settings, "app.server.launcher:worker", factory=True, workers=settings.workers)
    supervisor = Multiprocess(config, sockets=[listener])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise SystemExit(STARTUP_FAILURE)


@contextmanager
def _multiprocess_metrics(folder: Path | None) -> Iterator[None]:
    """Give the workers' Prometheus figures a folder to meet in, empty at the start."""
    name = "PROMETHEUS_MULTIPROC_DIR"
    with ExitStack() as made:
        chosen = os.environ.get(name) or folder or made.enter_context(TemporaryDirectory(prefix="groundhog-"))
        Path(chosen).mkdir(parents=True, exist_ok=True)
        for old in Path(chosen).glob("*.db"):
            old.unlink()
        os.environ[name] = str(chosen)
        yield


def worker() -> ASGIApp:
    """Return the application of one worker process, which ends when the launcher is gone, kill -9 included."""
    from app.main import create_app

    settings = ServiceSettings()
    configure_logging(settings.log_level, settings.log_format)
    threading.Thread(target=_end_with_launcher, name="watch the launcher", daemon=True).start()
    application: ASGIApp = create_app(settings)
    _freeze_startup_objects()
    return application


def _freeze_startup_objects() -> None:
    """Exempt what exists now from garbage collection: each full collection would spend 30 ms on it."""
    gc.collect()
    gc.freeze()


def _end_with_launcher() -> None:
    launcher = parent_process()
    assert launcher is not None, "workers are started by multiprocessing"
    connection.wait([launcher.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
