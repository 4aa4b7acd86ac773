"""Every operation of the service has a method, which sends what the service takes and reads what it answers."""

import inspect
import json
from typing import Any

import httpx2
import pytest
from jsonschema_rs import validator_for

from client_testing.service import description
from groundhog_client import AsyncClient, Client, DailyTotal, Event, NewVariant

DESCRIPTION = description()
SCHEMAS = DESCRIPTION["components"]["schemas"]
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
}
TOTAL = DailyTotal("homepage_test", "control", "2023-07-15", 1000, 120)
EVENTS = [
    Event("homepage_test", "user-42", "exposure", event_id="5f0c1c7e-exposure"),
    Event("homepage_test", "user-42", "value", 9.5, event_id="order-82-value"),
]
LOG = b"arm,propensity,reward\nred,0.5,0\n"

CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "record_metrics": ((TOTAL,), {}),
    "record_metrics_in_bulk": (([TOTAL],), {"mode": "partial"}),
    "read_metrics": (("homepage_test",), {"since": "2023-07-01", "until": "2023-07-31", "limit": 10}),
    "delete_metrics": (("homepage_test", "control", "2023-07-15"), {}),
    "read_allocation": (("homepage_test",), {"for_date": "2023-07-16", "revision": "a58ce4ba2cb3c9c5"}),
    "read_allocation_history": (("homepage_test",), {"limit": 5}),
    "create_experiment": (("homepage_test", ["control", NewVariant("bold", value=1)]), {"min_share": 5}),
    "list_experiments": ((), {"cursor": "WyJob21lcGFnZV90ZXN0Il0", "limit": 7}),
    "read_experiment": (("homepage_test",), {}),
    "change_experiment": (("homepage_test",), {"state": "paused", "name": None, "if_match": '"abc"'}),
    "delete_experiment": (("homepage_test",), {"confirm": "homepage_test"}),
    "roll_out_variant": (("homepage_test", "bold"), {}),
    "undo_rollout": (("homepage_test",), {}),
    "read_delay": (("homepage_test",), {"for_date": "2023-07-16"}),
    "read_posterior": (("homepage_test",), {"for_date": "2023-07-16", "points": 11}),
    "read_gain": (("homepage_test",), {"for_date": "2023-07-16"}),
    "compare_with_control": (("homepage_test",), {"for_date": "2023-07-16"}),
    "read_estimates": (("homepage_test",), {}),
    "export_experiment": (("homepage_test",), {}),
    "import_experiment": ((b'{"rows": 0}\n',), {}),
    "add_variant": (("homepage_test", "bold"), {}),
    "change_variant": (("homepage_test", "control"), {"retired_on": "2023-08-01"}),
    "delete_variant": (("homepage_test", "bold"), {}),
    "plan_experiment": (([0.1, 0.12], 1000), {"days": 60}),
    "simulate_email": ((), {"emails": 500, "respond_async": True}),
    "simulate_clv": ((), {"days": 30}),
    "simulate_replay": ((LOG,), {"form": "csv", "policies": ["uniform"], "arms": ["red"], "by_value": False}),
    "list_simulations": ((), {}),
    "read_simulation": (("3f6c2a5e9b1d4c07",), {}),
    "cancel_simulation": (("3f6c2a5e9b1d4c07",), {}),
    "export_simulation": (("3f6c2a5e9b1d4c07",), {"table": "curve"}),
    "assign": (("homepage_test", "user-42"), {}),
    "read_split": (("homepage_test",), {}),
    "read_assignment": (("homepage_test", "user-42"), {}),
    "list_assignments": (("homepage_test",), {"limit": 3}),
    "override_assignment": (("homepage_test", "user-42", None), {}),
    "merge_units": (("anonymous-7f3a", "user-42"), {"experiment_id": "homepage_test"}),
    "forget_unit": (("user-42",), {}),
    "evaluate_flag": (("homepage_test", "user-42"), {"country": "AT"}),
    "evaluate_flags": (("user-42",), {}),
    "record_events": ((EVENTS,), {}),
    "check_alive": ((), {}),
    "check_ready": ((), {}),
    "list_policies": ((), {}),
    "read_prometheus_metrics": ((), {}),
}
"""How each operation is called here; `follow_simulation` streams, and has tests of its own."""

MORE = {
    "each_daily_total",
    "each_revision",
    "each_experiment",
    "each_simulation",
    "each_assignment",
    "assign_many",
    "ensure_experiment",
    "decide",
    "decide_locally",
    "event_sender",
    "wait_for_simulation",
    "call",
    "read_telemetry",  # deprecated
}
"""Methods that are no operation: they take several requests, or none."""


def public(client: type) -> set[str]:
    return {name for name in dir(client) if not name.startswith("_")}


@pytest.mark.parametrize(("client", "end"), [(Client, "close"), (AsyncClient, "aclose")])
def test_there_is_a_method_for_each_operation_of_the_service_and_no_other(client, end):
    assert public(client) == OPERATIONS.keys() | MORE | {end}


def test_each_operation_is_called_here():
    assert CALLS.keys() | {"follow_simulation"} == OPERATIONS.keys()


def examples(name: str) -> list[tuple[int, str, bytes]]:
    """Every good answer the service's own description shows, as it would come."""
    found = []
    for status, answer in OPERATIONS[name][2]["responses"].items():
        if status.startswith("2"):
            for media_type, media in answer.get("content", {"": {}}).items():
                found += [(int(status), media_type, body) for body in bodies(media)]
    return found


def bodies(media: dict[str, Any]) -> list[bytes]:
    schema = media.get("schema", {})
    schema = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    shown = [media["example"]] if "example" in media else schema.get("examples", [])
    shown = [one["value"] for one in media["examples"].values()] if "examples" in media else shown
    return [one.encode() if isinstance(one, str) else json.dumps(one).encode() for one in shown] or [b""]


def sent(connect, name, status, media_type, body) -> tuple[httpx2.Request, Any]:
    requests = []

    def answer(request):
        requests.append(request)
        return httpx2.Response(status, content=body, headers={"Content-Type": media_type})

    args, named = CALLS[name]
    return getattr(connect(answer), name)(*args, **named), requests[0]


@pytest.mark.parametrize("name", CALLS)
def test_a_method_reads_every_answer_the_service_describes(connect, name):
    for status, media_type, body in examples(name):
        if name == "assign" and body.startswith(b"["):
            continue  # the answer to `assign_many`
        value, _ = sent(connect, name, status, media_type, body)
        assert (value is None) == (status == 204)


@pytest.mark.parametrize("name", CALLS)
def test_a_method_sends_what_the_operation_takes(connect, name):
    method, path, operation = OPERATIONS[name]
    _, request = sent(connect, name, *examples(name)[0])
    assert request.method == method
    assert fits(path, request.url.path)
    parameters = operation.get("parameters", [])
    assert set(request.url.params) <= {one["name"] for one in parameters if one["in"] == "query"}
    check_body(operation, request)


WORDS = {"simulate_replay": {"policy": "policies", "arm": "arms"}}
"""Query parameters that a method takes under another name: several of them at once."""
LEFT_OUT = {"flagConfigEtag", "flagConfigLastModified"}
"""Query parameters of OpenFeature's providers on which nothing depends."""


@pytest.mark.parametrize("name", CALLS)
def test_a_method_takes_every_parameter_of_the_query(name):
    asked = {one["name"] for one in OPERATIONS[name][2].get("parameters", []) if one["in"] == "query"}
    words = WORDS.get(name, {})
    wanted = {words.get(one, one) for one in asked - LEFT_OUT}
    assert wanted <= inspect.signature(getattr(Client, name)).parameters.keys()


def fits(path: str, found: str) -> bool:
    pairs = zip(path.split("/"), found.split("/"), strict=True)
    return all(wanted == part or (wanted.startswith("{") and part) for wanted, part in pairs)


def check_body(operation: dict[str, Any], request: httpx2.Request) -> None:
    if "requestBody" not in operation:
        assert request.content == b""
        return
    media = operation["requestBody"]["content"][request.headers["Content-Type"]]
    if request.headers["Content-Type"] == "application/json":
        validate = validator_for({**media["schema"], "components": {"schemas": SCHEMAS}})
        assert [error.message for error in validate.iter_errors(json.loads(request.content))] == []
