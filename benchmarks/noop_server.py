"""The process that serves: the application with one route more, ``/noop``, behind uvicorn as in production.

Started by `benchmarks.service`; it says its port on standard output and ends when its standard input is closed.
"""

import os
import signal
import sys
import threading


def main() -> None:
    """Serve the database named by DATABASE_URL on a free port."""
    # not above: the processes that play simulations import this module again, and need none of it
    from fastapi import Response
    from uvicorn import Server

    from app.api.routing import DirectRoute
    from app.main import create_app
    from app.observability.logs import configure_logging
    from app.server.launcher import listen
    from app.server.web_server import web_config  # the service's own configuration
    from app.settings import ServiceSettings

    settings = ServiceSettings(_env_file=None)
    configure_logging(settings.log_level, settings.log_format)
    app = create_app(settings)

    async def noop() -> Response:
        """Answer without doing anything: what the frameworks and the telemetry cost by themselves."""
        return Response(b"{}", media_type="application/json")

    app.router.routes.insert(0, DirectRoute("/noop", noop))  # behind the pages it would be served as a page
    listener = listen("127.0.0.1", 0)
    threading.Thread(target=_end_with_benchmark, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    Server(web_config(settings, app)).run(sockets=[listener])


def _end_with_benchmark() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
