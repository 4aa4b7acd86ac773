"""Around every request: its id, its Prometheus series and its log line."""

import asyncio
import logging
import os
import re
import time
from functools import cache

from prometheus_client import Counter, Histogram
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observability.logs import request_id
from app.observability.metrics import DURATION, IN_PROGRESS, REQUESTS

_CLIENT_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

logger = logging.getLogger("groundhog.http")


def route_template(scope: Scope) -> str:
    """Return the template of the route that answered (``/metrics/{experiment_id}``), or "unmatched".

    Only templates become labels: a client that makes up paths must not make up time series.
    """
    if isinstance(scope.get("endpoint"), StaticFiles):  # mounted: no route says so
        return "/static/{path}"
    context = scope.get("fastapi", {}).get("effective_route_context")
    template = getattr(context, "path_format", None) or getattr(scope.get("route"), "path_format", None)
    return template if isinstance(template, str) else "unmatched"


class RequestMetricsMiddleware:
    """Count, time and log every request, and give it an id.

    Wrapped around the whole application, so that the answer to an unforeseen error carries the id as well.

    Parameters
    ----------
    on_cancelled : answers a request that a stop of the service does not wait for any longer
    on_error : answers a request that ended in an error nobody foresaw, which is raised again for the server's log
    """

    def __init__(self, app: ASGIApp, on_cancelled: ASGIApp, on_error: ASGIApp) -> None:
        self.app = app
        self.on_cancelled = on_cancelled
        self.on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless it is not HTTP at all."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identity = _identity(scope)
        token = request_id.set(identity.decode())
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", identity)]
            await send(message)

        began = time.perf_counter()
        IN_PROGRESS.inc()
        try:
            await self.app(scope, receive, send_with_id)
        except asyncio.CancelledError:
            if status:
                raise
            await self.on_cancelled(scope, receive, send_with_id)
        except Exception:
            if not status:
                await self.on_error(scope, receive, send_with_id)
            raise
        finally:
            IN_PROGRESS.dec()
            _account(scope, status or 500, time.perf_counter() - began)
            request_id.reset(token)


def _identity(scope: Scope) -> bytes:
    """Return the id that the client sent, if it is a fitting one, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            if _CLIENT_ID.fullmatch(value):
                return bytes(value)
            break
    return os.urandom(8).hex().encode()


def _account(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "other"
    requests, duration = _series(method, route_template(scope), status)
    requests.inc()
    duration.observe(seconds)
    quiet = status < 400 and method in {"GET", "HEAD"}
    level = logging.DEBUG if quiet else logging.ERROR if status >= 500 else logging.INFO
    if logger.isEnabledFor(level):
        fields = {"method": method, "path": scope["path"], "status": status, "ms": round(seconds * 1e3, 2)}
        logger.log(level, "request", extra={"fields": fields})


@cache
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Return the series of a kind of request; there are no more of them than routes, methods and statuses."""
    return REQUESTS.labels(method, route, str(status)), DURATION.labels(method, route)
