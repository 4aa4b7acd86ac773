"""The web server: uvicorn's configuration, one process or several workers, and the start of each worker."""

import gc
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import connection, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.observability.logs import configure_logging
from app.server.slow_client_protocol import ClientTimeouts, SlowClientProtocol
from app.settings import ServiceSettings


def serve_web(settings: ServiceSettings, listener: socket.socket, metrics_folder: Path | None) -> None:
    """Serve the application until a signal stops it, from this process or from several workers."""
    configure_logging(settings.log_level, settings.log_format)
    if settings.workers == 1:
        from app.main import create_app

        application = create_app(settings)
        _freeze_startup_objects()
        Server(web_config(settings, application)).run(sockets=[listener])
    else:
        with _multiprocess_metrics(metrics_folder):
            _serve_with_workers(settings, listener)


def web_config(settings: ServiceSettings, app: ASGIApp | str, **more: Any) -> Config:
    """Return the configuration of uvicorn."""
    timeouts = ClientTimeouts(
        settings.max_head_bytes,
        settings.header_timeout_seconds,
        settings.idle_timeout_seconds,
        settings.min_body_rate,
    )
    return Config(
        app,
        loop="uvloop",
        http=cast("type[SlowClientProtocol]", partial(SlowClientProtocol, timeouts)),  # uvicorn only calls it
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",  # the banner and the request log have the rest
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        timeout_worker_healthcheck=60,  # on a small machine many workers need long for their imports
        **more,
    )


def _serve_with_workers(settings: ServiceSettings, listener: socket.socket) -> None:
    """Serve from several processes, which read the database's address from their environment."""
    assert settings.database_url is not None, "the launcher has set it"
    os.environ.update(
        DATABASE_URL=settings.database_url,
        GROUNDHOG_HOST=settings.host,  # decides whether the service may be open without keys
        GROUNDHOG_WORKERS=str(settings.workers),
    )
    config = web_config(settings, "app.server.web_server:worker", factory=True, workers=settings.workers)
    supervisor = Multiprocess(config, sockets=[listener])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise SystemExit(STARTUP_FAILURE)


@contextmanager
def _multiprocess_metrics(folder: Path | None) -> Iterator[None]:
    """Create the folder in which the workers share their Prometheus metrics, empty at the start."""
    name = "PROMETHEUS_MULTIPROC_DIR"
    with ExitStack() as opened:
        chosen = (
            os.environ.get(name) or folder or opened.enter_context(TemporaryDirectory(prefix="groundhog-"))
        )
        Path(chosen).mkdir(parents=True, exist_ok=True)
        for old in Path(chosen).glob("*.db"):
            old.unlink()
        os.environ[name] = str(chosen)
        yield


def worker() -> ASGIApp:
    """Return the application of one worker process, which ends when the launcher ends, kill -9 included."""
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
