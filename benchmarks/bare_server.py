"""The yardstick: a FastAPI route that does nothing, in a process of its own, behind the same uvicorn.

Started by `benchmarks.yardstick`; it says its port on standard output and ends when its standard input is closed.
"""

import os
import signal
import sys
import threading

from fastapi import FastAPI, Response
from uvicorn import Config, Server

from app.server.launcher import listen


def bare_app() -> FastAPI:
    """Return an application with one route and no middleware of its own."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/")
    async def noop() -> Response:
        return Response(b"{}", media_type="application/json")

    return app


def main() -> None:
    """Serve the route on a free port."""
    listener = listen("127.0.0.1", 0)
    threading.Thread(target=_end_with_benchmark, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    config = Config(bare_app(), loop="uvloop", http="httptools", ws="none", access_log=False, log_config=None)
    Server(config).run(sockets=[listener])


def _end_with_benchmark() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
