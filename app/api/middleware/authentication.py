"""The authentication of a request by its API key, before its body is read."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problem_details import problem_response
from app.errors import Forbidden, GroundhogError, Unauthorized
from app.services.access import principal
from app.services.access.authenticator import Authenticator
from app.settings import ServiceSettings

MAX_KEY_LENGTH = 512
SEVERAL_KEYS = "the request has several API keys: send one"


class ApiKeyMiddleware:
    """Respond 401 or 429 before a request's body is read, unless its path is public or its key is valid."""

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator, clock: Callable[[], Any], public: frozenset[str]
    ) -> None:
        self.app = app
        self.authenticator = authenticator
        self.clock = clock
        self.public_paths = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its principal set."""
        if scope["type"] != "http" or self._is_public(scope):
            await self.app(scope, receive, send)
            return
        try:
            in_query = take_query_key(scope)
            sent = extract_api_key(scope["headers"], in_query)
            who = await self.authenticator.authenticate(sent, self.clock())
            if who is principal.ANONYMOUS:
                reject_dns_rebinding(scope["headers"])
            else:
                _check_use(who, scope, in_query is not None)
        except GroundhogError as error:
            await problem_response(error, scope["path"])(scope, receive, send)
            return
        token = principal.current_principal.set(who)
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
    """Return the paths that need no key."""
    pages = {"/docs", "/redoc", "/openapi.json"} if settings.public_docs else set()
    prometheus = {"/metrics", "/metrics/"} if settings.public_metrics else set()
    return frozenset({"/", "/livez", "/readyz"} | pages | prometheus)


def take_query_key(scope: Scope) -> bytes | None:
    """Remove the API key from the query of events, and return it: ``sendBeacon`` can send no header.

    Whatever stores, logs or hashes the address of a request afterwards does not see the key.

    Raises
    ------
    Unauthorized: there are several
    """
    if scope["path"] != "/events" or b"key=" not in scope["query_string"]:
        return None
    parts = scope["query_string"].split(b"&")
    keys = [part.removeprefix(b"key=") for part in parts if part.startswith(b"key=")]
    scope["query_string"] = b"&".join(part for part in parts if not part.startswith(b"key="))
    if len(keys) > 1:
        raise Unauthorized(SEVERAL_KEYS)
    return unquote_to_bytes(keys[0]) if keys else None


def _check_use(who: principal.Principal, scope: Scope, in_query: bool) -> None:
    """Reject a key outside of the pages that it was created for, and a secret key in an address."""
    if in_query and not who.evaluates_only:
        raise Forbidden(
            f"the API key {who.key_id} must be sent in a header: addresses are logged, and only a key with the"
            " scope evaluate is public"
        )
    if who.origins is not None:
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        if len(sent) != 1 or sent[0] not in who.origins:
            raise Forbidden(f"the API key {who.key_id} is limited to pages of other origins")


def extract_api_key(headers: Iterable[tuple[bytes, bytes]], in_query: bytes | None = None) -> str | None:
    """Return the API key of a request, or None; an Authorization other than Bearer is ignored.

    Parameters
    ----------
    in_query : the key of the query, if it has one

    Raises
    ------
    Unauthorized: it has several keys, or one that is too long
    """
    sent = set() if in_query is None else {in_query.strip()}
    for name, value in headers:
        if name == b"x-api-key":
            sent.add(value.strip())
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            sent.add(value[7:].strip())
    if len(sent) > 1:
        raise Unauthorized(SEVERAL_KEYS)
    key = sent.pop() if sent else None
    if key is not None and len(key) > MAX_KEY_LENGTH:
        raise Unauthorized("the API key is too long")
    return None if key is None else key.decode("latin-1")


def reject_dns_rebinding(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Reject a request to an open service under a host name that others can point to this machine.

    A web page whose host name resolves to this machine could otherwise read and change everything from the browser
    of a user who opens it: for that browser both are the same site.

    Raises
    ------
    Forbidden: naming the hosts that are accepted, and how to create a key
    """
    for name, value in headers:
        if name == b"host" and not _is_local_host(value):
            raise Forbidden(
                "this service is open, so it accepts only the hosts 127.0.0.1 and localhost:"
                " use one of them, or create a key with `groundhog keys create`"
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
