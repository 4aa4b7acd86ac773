"""What operators see: Prometheus figures, JSON logs, and the request id that ties them together."""

import asyncio
import json
import logging
import re
import time
import uuid
from contextvars import ContextVar
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

request_id: ContextVar[str] = ContextVar("request_id", default="-")

REQUESTS = Counter("groundhog_http_requests_total", "Requests answered", ["method", "route", "status"])
DURATION = Histogram(
    "groundhog_http_request_duration_seconds",
    "Time from a request's first byte to its answer's last",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_PROGRESS = Gauge(
    "groundhog_http_requests_in_progress", "Requests being answered", multiprocess_mode="livesum"
)
ROWS = Counter("groundhog_metrics_rows_total", "Daily totals received, by what became of them", ["outcome"])
EVENTS = Counter("groundhog_events_total", "Events received, by what became of them", ["status"])
ALLOCATIONS = Counter(
    "groundhog_allocations_total",
    "Allocations answered: computed, as recorded, from the cache, or stale while PostgreSQL is away",
    ["from"],
)
COMPUTE = Histogram(
    "groundhog_allocation_compute_seconds",
    "Time to read the totals and compute one allocation",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
REVISIONS = Counter("groundhog_allocation_revisions_total", "Revisions recorded")
REPLICA_READS = Counter(
    "groundhog_replica_reads_total",
    "Readings for which the replica was asked, by what answered: replica; primary, for the replica lacks"
    " something or a revision is to be recorded; away, the primary too",
    ["answered"],
)
REPLICA_UP = Gauge(
    "groundhog_replica_up",
    "1 while the read replica answers, 0 while it is away",
    ["host"],  # no series where there is no replica
    multiprocess_mode="livemin",
)
POOL_IN_USE = Gauge(
    "groundhog_database_connections_in_use", "Pooled connections at work", multiprocess_mode="livesum"
)
POOL_SIZE = Gauge(
    "groundhog_database_connections_max", "Connections the pools may open", multiprocess_mode="livesum"
)

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


class RequestTelemetry:
    """Count, time and log every request, and give it an id.

    Wrapped around the whole application, so that the answer to an unforeseen error carries the id as well.

    Parameters
    ----------
    given_up : answers a request that a stop of the service does not wait for any longer
    """

    def __init__(self, app: ASGIApp, given_up: ASGIApp) -> None:
        self.app = app
        self.given_up = given_up

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
            await self.given_up(scope, receive, send_with_id)
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


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, request id, and what the call adds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(level: str, form: str) -> None:
    """Send every log line to standard error in the chosen form."""
    handler = logging.StreamHandler()
    if form == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
