"""The check of a request's API key, before anything of the request is read."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problem_details import problem_response
from app.errors import Forbidden, GroundhogError, Unauthorized
from app.services.access import principal
from app.services.access.authenticator import Authenticator
from app.settings import ServiceSettings

MAX_KEY_LENGTH = 512


class ApiKeyMiddleware:
    """Answer 401 or 429 before anything of a request is read, unless its path is open or its key is good."""

    def __init__(
        self, app: ASGIApp, ring: Authenticator, clock: Callable[[], Any], open_paths: frozenset[str]
    ) -> None:
        self.app = app
        self.authenticator = ring
        self.clock = clock
        self.public_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller known."""
        if scope["type"] != "http" or self._is_public(scope):
            await self.app(scope, receive, send)
            return
        try:
            caller = await self.authenticator.authenticate(extract_api_key(scope["headers"]), self.clock())
            if caller is principal.ANONYMOUS:
                reject_dns_rebinding(scope["headers"])
        except GroundhogError as error:
            await problem_response(error, scope["path"])(scope, receive, send)
            return
        token = principal.current_principal.set(caller)
        try:
            await self.app(scope, receive, send)
        finally:
            principal.current_principal.reset(token)

    def _is_public(self, scope: Scope) -> bool:
        path: str = scope["path"]
        return scope["method"] in {"GET", "HEAD"} and (
            path in self.public_paths or path.startswith("/static/")
        )


def public_paths(settings: ServiceSettings) -> frozenset[str]:
    """Return the paths that are read without a key."""
    pages = {"/docs", "/redoc", "/openapi.json"} if settings.public_docs else set()
    telemetry = {"/metrics", "/metrics/"} if settings.public_metrics else set()
    return frozenset({"/", "/livez", "/readyz"} | pages | telemetry)


def extract_api_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the key that a request carries, or None; Authorization of another kind than Bearer is another's.

    Raises
    ------
    Unauthorized: it carries several, or something that cannot be one
    """
    sent = set()
    for name, value in headers:
        if name == b"x-api-key":
            sent.add(value.strip())
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            sent.add(value[7:].strip())
    if len(sent) > 1:
        raise Unauthorized("the request carries several API keys: send one")
    key = sent.pop() if sent else None
    if key is not None and len(key) > MAX_KEY_LENGTH:
        raise Unauthorized("the API key is too long to be one")
    return None if key is None else key.decode("latin-1")


def reject_dns_rebinding(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse who asks an open service by a name that others can give to this machine.

    A page of the web whose name was made to lead here would read and change everything, from the browser of
    whoever opens it: to that browser both are one site.

    Raises
    ------
    Forbidden: saying by which name, or with what, to ask
    """
    for name, value in headers:
        if name == b"host" and not _is_local_host(value):
            raise Forbidden(
                "this service is open, so it answers to 127.0.0.1 and localhost only:"
                " ask for these, or make a key with `groundhog keys create`"
            )


@lru_cache(maxsize=256)
def _is_local_host(host: bytes) -> bool:
    """Tell whether a Host header is an address, a name without a dot, or one below ``localhost``."""
    text = host.decode("latin-1").lower()
    name = text if text.endswith("]") else text.rpartition(":")[0] or text
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return "." not in name or name.endswith(".localhost")
    return True
