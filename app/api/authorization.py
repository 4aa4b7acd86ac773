"""Authorization: the scope of every operation in one table, and the check of a request's principal against it.

`ApiKeyMiddleware` runs before everything and finds the principal; a route (`require_permission`) then checks the
scope and the experiment. An operation that is not in the table needs ``admin`` and a key for all experiments.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.api.json_limit import LimitedJsonRequest
from app.api.state import state_of
from app.errors import Forbidden
from app.schemas import api_keys
from app.services.access import audit_log, principal

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Permission:
    """What an operation requires of a key.

    Parameters
    ----------
    scope : the scope that a key must have; ``report`` contains ``evaluate``, ``admin`` contains all others
    allows_prefix_keys : a key limited to an experiment prefix may use it: where the path names no experiment, the
        operation checks every item itself
    """

    scope: api_keys.Scope
    allows_prefix_keys: bool = False


PERMISSIONS: dict[str, Permission] = {
    "assign": Permission("report", allows_prefix_keys=True),
    "read_split": Permission("report"),
    "evaluate_flag": Permission("evaluate", allows_prefix_keys=True),
    "evaluate_flags": Permission("evaluate", allows_prefix_keys=True),
    "merge_units": Permission("report", allows_prefix_keys=True),
    "override_assignment": Permission("admin", allows_prefix_keys=True),
    "forget_unit": Permission("admin", allows_prefix_keys=True),
    "read_assignment": Permission("read"),
    "list_assignments": Permission("read"),
    "record_events": Permission("evaluate", allows_prefix_keys=True),
    "record_metrics": Permission("report", allows_prefix_keys=True),
    "record_metrics_in_bulk": Permission("report", allows_prefix_keys=True),
    "delete_metrics": Permission("report"),
    "read_metrics": Permission("read"),
    "read_allocation": Permission("read"),
    "read_allocation_history": Permission("read"),
    "list_experiments": Permission("read", allows_prefix_keys=True),
    "read_experiment": Permission("read"),
    "read_posterior": Permission("read"),
    "read_delay": Permission("read"),
    "read_gain": Permission("read"),
    "compare_with_control": Permission("read"),
    "read_estimates": Permission("read"),
    "export_experiment": Permission("read"),
    "list_policies": Permission("read", allows_prefix_keys=True),
    "plan_experiment": Permission("read", allows_prefix_keys=True),
    "list_simulations": Permission("read", allows_prefix_keys=True),
    "read_simulation": Permission("read", allows_prefix_keys=True),
    "follow_simulation": Permission("read", allows_prefix_keys=True),
    "export_simulation": Permission("read", allows_prefix_keys=True),
    "read_prometheus_metrics": Permission("read"),
    "create_experiment": Permission("admin", allows_prefix_keys=True),
    "import_experiment": Permission("admin", allows_prefix_keys=True),
    "change_experiment": Permission("admin"),
    "delete_experiment": Permission("admin"),
    "roll_out_variant": Permission("admin"),
    "undo_rollout": Permission("admin"),
    "add_variant": Permission("admin"),
    "change_variant": Permission("admin"),
    "delete_variant": Permission("admin"),
    "simulate_email": Permission("admin", allows_prefix_keys=True),
    "simulate_clv": Permission("admin", allows_prefix_keys=True),
    "simulate_replay": Permission("admin", allows_prefix_keys=True),
    "cancel_simulation": Permission("admin", allows_prefix_keys=True),
}
"""Every operation that needs a key, by its id; a test compares it with the OpenAPI description."""

PUBLIC_OPERATIONS = frozenset({"check_alive", "check_ready"})
"""The operations that never need one."""

UNAUDITED_OPERATIONS = frozenset({"assign", "evaluate_flag", "evaluate_flags", "record_events"})
"""Frequent reports that store their own time: the audit log leaves them out."""


def permission_of(operation: str) -> Permission:
    """Return what an operation requires of a key."""
    return PERMISSIONS.get(operation, Permission("admin"))


def require_permission(route: APIRoute, handler: Handler) -> Handler:
    """Return a route's handler behind the check of its permission; its changes are written to the audit log."""
    if route.name in PUBLIC_OPERATIONS:
        return handler
    permission = permission_of(route.name)
    reads = (route.methods or set()) <= {"GET", "HEAD"}
    changes = not reads and route.name not in UNAUDITED_OPERATIONS

    async def handle_permitted(request: Request) -> Response:
        _authorize(permission, request)
        if changes:
            named = (request.path_params.get(name) for name in ("experiment_id", "simulation_id"))
            audit_log.start(route.name, state_of(request).clock(), *filter(None, named))
        return await handler(request if reads else LimitedJsonRequest(request.scope, request.receive))

    return handle_permitted


def _authorize(permission: Permission, request: Request) -> None:
    who = principal.current_principal.get()
    if not who.has_scope(permission.scope):
        has = ", ".join(sorted(who.scopes))
        raise Forbidden(f"this needs the scope {permission.scope}; the API key {who.key_id} has {has}")
    if who.experiment_prefix is None:
        return
    if "experiment_id" in request.path_params:
        principal.require_access(request.path_params["experiment_id"])
    elif not permission.allows_prefix_keys:
        raise Forbidden("this concerns all experiments, and the API key is limited to some")
