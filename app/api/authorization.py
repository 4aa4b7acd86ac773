"""Who may do what: every operation's scope in one table, and the check of a request's key against it.

`KeyCheck` stands before everything and finds out who asks; a route (`guarded`) then checks the scope and the
experiment. An operation that is not in the table needs ``admin`` and a key without a limit.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.api.json_limit import Document
from app.errors import Forbidden
from app.schemas import api_keys
from app.services.access import audit_log, principal

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


def rule_of(operation: str) -> Rule:
    """Return what an operation asks of a key."""
    return OPERATIONS.get(operation, Rule("admin"))


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
