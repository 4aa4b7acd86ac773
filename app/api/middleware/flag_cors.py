"""CORS for the OpenFeature routes only: browsers on other origins may evaluate flags."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.schemas.assignments import ofrep

REQUEST_HEADERS = ["Authorization", "Content-Type", "If-None-Match", "X-API-Key", "X-Request-ID"]
RESPONSE_HEADERS = ["ETag", "Retry-After", "X-Request-ID"]
PREFLIGHT_SECONDS = 600


class OfrepCorsMiddleware:
    """Respond to preflight requests of the given origins, and let their scripts read the responses.

    It runs before authentication: a preflight request has no key.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self.app = app
        self.shared = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["POST"],
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        flags = scope["type"] == "http" and scope["path"].startswith(ofrep.PREFIX)
        await (self.shared if flags else self.app)(scope, receive, send)
