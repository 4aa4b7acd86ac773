"""The arguments of a route's function, for requests that need no explanation of an error.

FastAPI solves a route's parameters anew for every request, which takes longer than most answers. Here their fields
and defaults are looked up once per route. A request that is not plain (it has a query, a body of another type, or
a value that is not valid) is left to FastAPI, whose errors it then gets.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from pydantic_core import PydanticUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request

Field = Any
"""FastAPI's ModelField, which is not public; `validate` returns a value and the errors."""


class NotPlain(Exception):
    """The request is left to FastAPI."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """How a function's arguments are read from a plain request.

    Parameters
    ----------
    defaults : of the query's parameters, which a plain request lacks
    headers : the header's name, the field, and its default
    dependencies : the argument's name, the coroutine function that returns it, and its own arguments
    """

    request: str | None
    path: Sequence[Field]
    defaults: dict[str, Any]
    headers: Sequence[tuple[bytes, Field, Any]]
    body: Field | None
    dependencies: Sequence[tuple[str, Callable[..., Awaitable[Any]], "Arguments"]]

    async def read(self, request: Request) -> dict[str, Any]:
        """Return the arguments by name.

        Raises
        ------
        NotPlain: the request has a query, or something in it is not valid
        """
        if request.scope["query_string"]:
            raise NotPlain
        values = self.defaults.copy()
        if self.request is not None:
            values[self.request] = request
        for field in self.path:
            values[field.name] = _valid(field, request.scope["path_params"][field.alias])
        for header, field, default in self.headers:
            sent = _first(request.scope["headers"], header)
            values[field.name] = default if sent is None else _valid(field, sent)
        if self.body is not None:
            values[self.body.name] = _valid(self.body, await _json(request))
        for name, function, arguments in self.dependencies:
            values[name] = await function(**await arguments.read(request))
        return values


def arguments_of(dependant: Dependant) -> Arguments | None:
    """Return how a function's arguments are read, or None where it takes what only FastAPI can provide."""
    dependencies = [
        (sub.name, sub.call, arguments_of(sub) if iscoroutinefunction(sub.call) else None)
        for sub in dependant.dependencies
    ]
    bodies = dependant.body_params
    query, headers = (
        {field: field.get_default() for field in fields}
        for fields in (dependant.query_params, dependant.header_params)
    )
    if (
        dependant.cookie_params
        or any(arguments is None or name is None for name, _, arguments in dependencies)
        or len(bodies) > 1
        or any(
            isinstance(field.field_info, Form) or getattr(field.field_info, "embed", None) for field in bodies
        )
        or PydanticUndefined in (*query.values(), *headers.values())
        or not _takes_nothing_else(dependant)
    ):
        return None
    return Arguments(
        request=dependant.request_param_name,
        path=tuple(dependant.path_params),
        defaults={field.name: default for field, default in query.items()},
        headers=tuple((field.alias.lower().encode(), field, default) for field, default in headers.items()),
        body=bodies[0] if bodies else None,
        dependencies=tuple(dependencies),  # type: ignore[arg-type]  # none is None, as seen above
    )


def _takes_nothing_else(dependant: Dependant) -> bool:
    return not (
        dependant.http_connection_param_name
        or dependant.websocket_param_name
        or dependant.background_tasks_param_name
        or dependant.response_param_name
        or dependant.security_scopes_param_name
    )


def _valid(field: Field, sent: object) -> Any:
    value, errors = field.validate(sent)
    if errors:
        raise NotPlain
    return value


def _first(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str | None:
    for sent, value in headers:
        if sent == name:
            return value.decode("latin-1")
    return None


async def _json(request: Request) -> Any:
    if _first(request.scope["headers"], b"content-type") != "application/json":
        raise NotPlain
    try:
        return await request.json()
    except HTTPException:
        raise
    except Exception:  # FastAPI reads the same body again, and explains what is wrong with it
        raise NotPlain from None
