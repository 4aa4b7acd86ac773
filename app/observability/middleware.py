"""Around every request: its id, its Prometheus series and its log line."""

import asyncio
import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observability.logs import request_id
from app.observability.metrics import DURATION, IN_PROGRESS, REQUESTS

_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


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
    """

    def __init__(self, app: ASGIApp, on_cancelled: ASGIApp) -> None:
        self.app = app
        self.on_cancelled = on_cancelled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless it is not HTTP at all."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identity = Headers(scope=scope).get("x-request-id", "")
        identity = identity if _CLIENT_ID.fullmatch(identity) else uuid.uuid4().hex[:16]
        token = request_id.set(identity)
        status, begun = 500, False

        async def send_with_id(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                MutableHeaders(scope=message).append("X-Request-ID", identity)
            await send(message)

        began = time.perf_counter()
        IN_PROGRESS.inc()
        try:
            await self.app(scope, receive, send_with_id)
        except asyncio.CancelledError:
            if begun:
                raise
            await self.on_cancelled(scope, receive, send_with_id)
        finally:
            IN_PROGRESS.dec()
            _account(scope, status, time.perf_counter() - began)
            request_id.reset(token)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _account(scope: Scope, status: int, seconds: float) -> None:
    route = route_template(scope)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    DURATION.labels(method, route).observe(seconds)
    quiet = method in {"GET", "HEAD"} and status < 400
    level = logging.DEBUG if quiet else logging.ERROR if status >= 500 else logging.INFO
    if logger.isEnabledFor(level):
        fields = {"method": method, "path": scope["path"], "status": status, "ms": round(seconds * 1e3, 2)}
        logger.log(level, "request", extra={"fields": fields})
