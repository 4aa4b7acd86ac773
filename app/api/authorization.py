"""Who may do what: every operation's scope in one table, and the check of a request's key against it.

`KeyCheck` stands before everything and finds out who asks; a route (`guarded`) then checks the scope and the
experiment. An operation that is not in the table needs ``admin`` and a key without a limit.
"""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.json_limit import Document
from app.api.problem_details import refusal
from app.errors import Forbidden, GroundhogError, Unauthorized
from app.schemas import api_keys
from app.services.access import audit_log, principal
from app.services.access.authenticator import KeyRing
from app.settings import Settings

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operation asks of a key.

    Parameters
    ----------
    scope : the least that a key must have; ``admin`` contains the others
    heeds_limit : a key limited to some experiments may use it: where the path names no experiment, the operation
        looks at every item by itself
    """

    scope: api_keys.Scope
    heeds_limit: bool = False


OPERATIONS: dict[str, Rule] = {
    "assign": Rule("report", heeds_limit=True),
    "read_split": Rule("report"),
    "evaluate_flag": Rule("report", heeds_limit=True),
    "evaluate_flags": Rule("report", heeds_limit=True),
    "merge_units": Rule("report", heeds_limit=True),
    "override_assignment": Rule("admin", heeds_limit=True),
    "forget_unit": Rule("admin", heeds_limit=True),
    "read_assignment": Rule("read"),
    "list_assignments": Rule("read"),
    "record_events": Rule("report", heeds_limit=True),
    "record_metrics": Rule("report", heeds_limit=True),
    "record_metrics_in_bulk": Rule("report", heeds_limit=True),
    "delete_metrics": Rule("report"),
    "read_metrics": Rule("read"),
    "read_allocation": Rule("read"),
    "read_allocation_history": Rule("read"),
    "list_experiments": Rule("read", heeds_limit=True),
    "read_experiment": Rule("read"),
    "read_posterior": Rule("read"),
    "read_gain": Rule("read"),
    "compare_with_control": Rule("read"),
    "read_estimates": Rule("read"),
    "export_experiment": Rule("read"),
    "list_policies": Rule("read", heeds_limit=True),
    "plan_experiment": Rule("read", heeds_limit=True),
    "list_simulations": Rule("read", heeds_limit=True),
    "read_simulation": Rule("read", heeds_limit=True),
    "follow_simulation": Rule("read", heeds_limit=True),
    "export_simulation": Rule("read", heeds_limit=True),
    "read_telemetry": Rule("read"),
    "create_experiment": Rule("admin", heeds_limit=True),
    "import_experiment": Rule("admin", heeds_limit=True),
    "change_experiment": Rule("admin"),
    "roll_out_variant": Rule("admin"),
    "undo_rollout": Rule("admin"),
    "add_variant": Rule("admin"),
    "change_variant": Rule("admin"),
    "delete_variant": Rule("admin"),
    "simulate_email": Rule("admin", heeds_limit=True),
    "simulate_clv": Rule("admin", heeds_limit=True),
    "simulate_replay": Rule("admin", heeds_limit=True),
    "cancel_simulation": Rule("admin", heeds_limit=True),
}
"""Every operation that needs a key, by its id; a test holds it beside the API's description."""

OPEN = frozenset({"check_alive", "check_ready"})
"""The operations that never need one."""

STREAMED = frozenset({"assign", "evaluate_flag", "evaluate_flags", "record_events"})
"""Reports that come by the thousand and keep their own time: the audit leaves them out."""

MOST_HEADER = 512


def rule_of(operation: str) -> Rule:
    """Return what an operation asks of a key."""
    return OPERATIONS.get(operation, Rule("admin"))


class KeyCheck:
    """Answer 401 or 429 before anything of a request is read, unless its path is open or its key is good."""

    def __init__(
        self, app: ASGIApp, ring: KeyRing, clock: Callable[[], Any], open_paths: frozenset[str]
    ) -> None:
        self.app = app
        self.ring = ring
        self.clock = clock
        self.open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller known."""
        if scope["type"] != "http" or self._is_open(scope):
            await self.app(scope, receive, send)
            return
        try:
            caller = await self.ring.caller_of(sent_key(scope["headers"]), self.clock())
            if caller is principal.ANYBODY:
                check_name(scope["headers"])
        except GroundhogError as error:
            await refusal(error, scope["path"])(scope, receive, send)
            return
        token = principal.acting.set(caller)
        try:
            await self.app(scope, receive, send)
        finally:
            principal.acting.reset(token)

    def _is_open(self, scope: Scope) -> bool:
        path: str = scope["path"]
        return scope["method"] in {"GET", "HEAD"} and (path in self.open_paths or path.startswith("/static/"))


def open_paths(settings: Settings) -> frozenset[str]:
    """Return the paths that are read without a key."""
    pages = {"/docs", "/redoc", "/openapi.json"} if settings.docs_open else set()
    telemetry = {"/metrics", "/metrics/"} if settings.telemetry_open else set()
    return frozenset({"/", "/livez", "/readyz"} | pages | telemetry)


def sent_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
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
    if key is not None and len(key) > MOST_HEADER:
        raise Unauthorized("the API key is too long to be one")
    return None if key is None else key.decode("latin-1")


def check_name(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse who asks an open service by a name that others can give to this machine.

    A page of the web whose name was made to lead here would read and change everything, from the browser of
    whoever opens it: to that browser both are one site.

    Raises
    ------
    Forbidden: saying by which name, or with what, to ask
    """
    for name, value in headers:
        if name == b"host" and not _is_this_machines(value):
            raise Forbidden(
                "this service is open, so it answers to 127.0.0.1 and localhost only:"
                " ask for these, or make a key with `groundhog keys create`"
            )


@lru_cache(maxsize=256)
def _is_this_machines(host: bytes) -> bool:
    """Tell whether a Host header is an address, a name without a dot, or one below ``localhost``."""
    text = host.decode("latin-1").lower()
    name = text if text.endswith("]") else text.rpartition(":")[0] or text
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return "." not in name or name.endswith(".localhost")
    return True


class GuardedRoute(APIRoute):
    """A route that checks the caller's key before it reads anything."""

    def get_route_handler(self) -> Handler:
        """Return the handler behind the check."""
        return guarded(self, super().get_route_handler())


def guarded(route: APIRoute, handler: Handler) -> Handler:
    """Return a route's handler behind the check of its rule; what it changes is written into the audit."""
    if route.name in OPEN:
        return handler
    rule = rule_of(route.name)
    reads = (route.methods or set()) <= {"GET", "HEAD"}
    changes = not reads and route.name not in STREAMED

    async def handle_permitted(request: Request) -> Response:
        _admit(rule, request)
        if changes:
            named = (request.path_params.get(name) for name in ("experiment_id", "simulation_id"))
            audit_log.begin(route.name, request.app.state.clock(), *filter(None, named))
        return await handler(request if reads else Document(request.scope, request.receive))

    return handle_permitted


def _admit(rule: Rule, request: Request) -> None:
    caller = principal.acting.get()
    if not caller.may(rule.scope):
        has = ", ".join(sorted(caller.scopes))
        raise Forbidden(f"this needs the scope {rule.scope}; the API key {caller.key_id} has {has}")
    if caller.experiment_prefix is None:
        return
    if "experiment_id" in request.path_params:
        principal.check_experiment(request.path_params["experiment_id"])
    elif not rule.heeds_limit:
        raise Forbidden("this is about all experiments, and the API key is limited to some")
