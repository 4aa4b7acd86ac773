"""CORS for what a key in a page may do: browsers on other origins evaluate flags and record events."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.schemas.assignments import ofrep
from app.services.access.authenticator import Authenticator

TRACING_HEADERS = ["Baggage", "Sentry-Trace", "Traceparent", "Tracestate", "X-Request-ID"]
"""What tracing adds to every request of a page (W3C Trace Context, Sentry): else its requests would be blocked."""
REQUEST_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-API-Key"]
RESPONSE_HEADERS = ["ETag", "Idempotency-Replayed", "Retry-After", "X-Request-ID"]
PREFLIGHT_SECONDS = 600


class BrowserCorsMiddleware(CORSMiddleware):
    """Respond to preflight requests of allowed origins, and let their scripts read the responses.

    It runs before authentication: a preflight request has no key.

    Parameters
    ----------
    origins : allowed beside those of the API keys
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str], authenticator: Authenticator) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["POST"],
            allow_headers=REQUEST_HEADERS + TRACING_HEADERS,
            expose_headers=RESPONSE_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        origin = Headers(scope=scope).get("origin") if _is_shared(scope) else None
        if origin is None:
            await self.app(scope, receive, send)
            return
        await self.authenticator.refresh_origins(origin)
        await super().__call__(scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        """Tell whether the settings or a key allow an origin."""
        return bool(super().is_allowed_origin(origin)) or self.authenticator.has_origin(origin)


def _is_shared(scope: Scope) -> bool:
    path: str = scope.get("path", "")
    return path.startswith(ofrep.PREFIX) or path == "/events"
