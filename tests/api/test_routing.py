"""A request is served without FastAPI's work around its function, with the same arguments and errors."""

import asyncio
import inspect
from contextlib import AsyncExitStack

import pytest
from fastapi.dependencies.utils import solve_dependencies
from starlette.routing import Match

from app.api.json_limit import LimitedJsonRequest
from app.api.routing import DirectRoute, RouteIndex
from app.api.routing.arguments import NotPlain
from app.main import ROUTES

UNIT = b'{"experiment_id": "homepage", "unit_id": "u1"}'
JSON = [(b"content-type", b"application/json")]
DIRECT = [route for route in ROUTES if isinstance(route, DirectRoute)]


def route_of(name):
    return next(route for route in DIRECT if route.name == name)


def request_of(path_params=None, headers=(), query=b"", body=b"", method="POST", path="/"):
    async def receive():
        return {"type": "http.request", "body": body}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": list(headers),
        "path_params": path_params or {},
    }
    return LimitedJsonRequest(scope, receive)


async def solved_by_fastapi(route, request):
    async with AsyncExitStack() as stack:
        request.scope |= {"fastapi_inner_astack": stack, "fastapi_function_astack": stack}
        body = await request.json() if route.body_field else None
        solved = await solve_dependencies(
            request=request,
            dependant=route.dependant,
            body=body,
            async_exit_stack=stack,
            embed_body_fields=False,
        )
    assert solved.errors == []
    return solved.values


PLAIN = [
    pytest.param("read_allocation", {"path_params": {"experiment_id": "a"}}, id="a path"),
    pytest.param(
        "read_allocation",
        {"path_params": {"experiment_id": "a"}, "headers": [(b"if-none-match", b'"x"')]},
        id="a header",
    ),
    pytest.param("evaluate_flag", {"path_params": {"key": "a/b"}}, id="a path with a slash"),
    pytest.param("assign", {"headers": JSON, "body": UNIT}, id="a body"),
    pytest.param("assign", {"headers": JSON, "body": b"[" + UNIT + b"]"}, id="an array"),
    pytest.param(
        "assign", {"headers": [*JSON, (b"idempotency-key", b"k")], "body": UNIT}, id="a body and a header"
    ),
]


@pytest.mark.parametrize(("name", "sent"), PLAIN)
def test_a_plain_requests_arguments_are_those_that_fastapi_finds(name, sent):
    route, request = route_of(name), request_of(**sent)
    expected = asyncio.run(solved_by_fastapi(route, request))
    assert asyncio.run(route.arguments.read(request)) == expected


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        pytest.param(
            "read_allocation", {"path_params": {"experiment_id": "a"}, "query": b"x=1"}, id="a query"
        ),
        pytest.param("read_allocation", {"path_params": {"experiment_id": "a b"}}, id="an invalid path"),
        pytest.param("assign", {"headers": JSON, "body": b"{}"}, id="an invalid body"),
        pytest.param("assign", {"headers": JSON, "body": b"{"}, id="a body that is no JSON"),
        pytest.param("assign", {"headers": JSON}, id="no body"),
        pytest.param("assign", {"body": UNIT}, id="no media type"),
        pytest.param("assign", {"headers": [(b"content-type", b"text/plain")], "body": UNIT}, id="text"),
        pytest.param(
            "assign", {"headers": [*JSON, (b"idempotency-key", b"")], "body": UNIT}, id="an invalid header"
        ),
    ],
)
def test_any_other_request_is_left_to_fastapi(name, sent):
    with pytest.raises(NotPlain):
        asyncio.run(route_of(name).arguments.read(request_of(**sent)))


@pytest.mark.parametrize(
    "name",
    ["read_allocation", "assign", "evaluate_flag", "evaluate_flags", "record_events", "record_metrics"],
)
def test_the_frequent_requests_need_no_fastapi(name):
    assert route_of(name).arguments is not None


def first_match(scope):
    return next((route for route in ROUTES if route.matches(dict(scope))[0] is Match.FULL), None)


@pytest.mark.parametrize("route", DIRECT, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_a_request_reaches_the_first_route_that_matches_it(route):
    served = []

    async def left_to_framework(scope, receive, send):
        served.append(None)

    method = min(route.methods)
    path = route.path.replace("{key:path}", "a/b")
    path = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "path_params": {}}
    assert RouteIndex(type("Router", (), {"routes": ROUTES}), left_to_framework)._find(scope) is first_match(
        scope
    )
    assert scope["endpoint"] is first_match(scope).endpoint


def dependants(dependant):
    yield dependant
    for sub in dependant.dependencies:
        yield from dependants(sub)


CALLED_DIRECTLY = [route for route in DIRECT if route.arguments is not None]


@pytest.mark.parametrize("route", CALLED_DIRECTLY, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_no_dependency_of_a_function_that_is_called_directly_must_be_ended_after_it(route):
    for dependant in dependants(route.dependant):
        assert not inspect.isgeneratorfunction(dependant.call)
        assert not inspect.isasyncgenfunction(dependant.call)
