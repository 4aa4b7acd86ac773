"""From an error to an answer: RFC 9457 problem+json, one table of statuses, never an echo of the input."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from app import errors
from app.observability import logs

STATUS: dict[type[errors.GroundhogError], int] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.UnsupportedMediaType: 415,
    errors.TooLarge: 413,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.TooManyRequests: 429,
    errors.MethodNotAllowed: 405,
    errors.Unavailable: 503,
    errors.InternalError: 500,
}
"""The status of each error class; a test checks that none is missing."""

TITLES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",  # the phrases that differ by Python version
    422: "Unprocessable Content",
}
ERROR_FORMATS: dict[str, Callable[[errors.GroundhogError, str], Response]] = {}
"""Paths whose protocol has a form of errors of its own, by their beginning; its module puts it here."""
JSON_HINT = "send JSON with the header 'Content-Type: application/json' (curl: --json, or -H with -d)"
UNREADABLE_BODY = (
    "the body cannot be read as JSON: not UTF-8, nested too deeply, or a number with too many digits"
)
STOPPED = "the service stops and cannot tell any more whether this was done; sending it again is safe"
MAX_ERRORS = 100
MAX_MESSAGE = 300
MAX_FIELD = 200

logger = logging.getLogger("groundhog.problems")


class FieldProblem(BaseModel):
    """One fault of a message."""

    field: str = Field(description="Where: body.0.successes, query.for_date, ...")
    message: str
    line: int | None = Field(default=None, description="Line of a bulk upload")


class Problem(BaseModel):
    """Every error answer (RFC 9457, application/problem+json)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "detail": "the request does not fit: body.successes",
                    "errors": [{"field": "body.successes", "message": "Input should be a valid integer"}],
                    "request_id": "0b8f6f4b2a9c4b0e",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []
    request_id: str


class ProblemResponse(JSONResponse):
    """A JSON response of the media type of RFC 9457."""

    media_type = "application/problem+json"


def problem(
    status: int,
    detail: str,
    faults: tuple[errors.FieldError, ...] = (),
    headers: dict[str, str] | None = None,
) -> ProblemResponse:
    """Return a problem+json answer."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
    }
    if faults:
        body["errors"] = [_as_json(fault) for fault in faults[:MAX_ERRORS]]
    body["request_id"] = logs.request_id.get()
    return ProblemResponse(body, status, headers=headers)


def _as_json(fault: errors.FieldError) -> dict[str, Any]:
    body: dict[str, Any] = {"field": fault.field[:MAX_FIELD], "message": fault.message[:MAX_MESSAGE]}
    return body if fault.line is None else body | {"line": fault.line}


def field_errors(validation: list[Any]) -> tuple[errors.FieldError, ...]:
    """Return pydantic's errors as field faults, without the input and without the tags of unions."""
    return tuple(errors.FieldError(errors.field_path(error["loc"]), error["msg"]) for error in validation)


async def handle_domain_error(request: Request, error: Exception) -> Response:
    """Answer an error of the domain with the status of its class."""
    assert isinstance(error, errors.GroundhogError)
    return problem_response(error, request.scope["path"])


def problem_response(error: errors.GroundhogError, path: str) -> Response:
    """Return the answer to an error of the domain, in the form of the path's protocol."""
    form = next((form for prefix, form in ERROR_FORMATS.items() if path.startswith(prefix)), as_problem)
    return form(error, path)


def as_problem(error: errors.GroundhogError, path: str) -> Response:
    """Return an error of the domain as problem+json."""
    return problem(STATUS[type(error)], error.detail, error.errors, headers_of(error))


def headers_of(error: errors.GroundhogError) -> dict[str, str]:
    """Return the headers that go with an error: when to come again, how to say who one is, what can be done."""
    if isinstance(error, errors.Unavailable | errors.TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.Unauthorized):
        return {"WWW-Authenticate": 'Bearer realm="groundhog"'}
    if isinstance(error, errors.MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, errors.UnsupportedMediaType):
        return {"Accept-Encoding": "identity"}
    return {}


async def handle_invalid_request(request: Request, error: Exception) -> ProblemResponse:
    """Answer a request that does not fit its schema; 415 where the cause is its media type."""
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes) and error.body:
        sent = request.headers.get("content-type", "no Content-Type")[:100]
        return problem(415, f"the body came as {sent!r}: {JSON_HINT}")
    faults = field_errors(list(error.errors())[:MAX_ERRORS])
    where = ", ".join(dict.fromkeys(fault.field[:MAX_FIELD] for fault in faults[:5]))
    return problem(422, f"the request does not fit: {where}", faults)


async def handle_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: unknown paths, wrong methods, unreadable bodies."""
    assert isinstance(error, HTTPException)
    path, detail = request.scope["path"], str(error.detail)
    headers = dict(error.headers) if error.headers else {}
    match error.status_code:
        case 400:  # what the framework says of a body that its JSON parser gave up on
            return problem(422, UNREADABLE_BODY, (errors.FieldError("body", UNREADABLE_BODY),))
        case 404:
            return problem_response(errors.NotFound("Not Found"), path)
        case 405:
            allowed = allowed_methods(request) or [headers.get("Allow", "GET, HEAD")]
            return problem_response(errors.MethodNotAllowed(detail, allowed), path)
        case 413:
            return problem_response(errors.TooLarge(detail), path)
    return problem(error.status_code, detail, headers=headers)


def allowed_methods(request: Request) -> list[str]:
    """Return every method of the request's path; the framework names only those of the first route that fits."""
    routes = iter_route_contexts(request.app.routes)
    fitting = [
        route for route in routes if route.path_regex and route.path_regex.match(request.scope["path"])
    ]
    return sorted({method for route in fitting for method in route.methods or ()})


async def handle_client_disconnect(request: Request, error: Exception) -> ProblemResponse:
    """Answer a client that left in the middle of its request: nobody reads it, but it is counted as no defect."""
    return problem(400, "the connection ended before the request was whole; nothing was done")


async def handle_unexpected_error(request: Request, error: Exception) -> Response:
    """Answer a defect of ours with nothing but the request id that finds it in the log."""
    return problem_response(errors.InternalError(), request.scope["path"])


async def respond_shutting_down(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that a stop of the service does not wait for any longer."""
    await problem_response(errors.Unavailable(STOPPED), scope["path"])(scope, receive, send)


def register_exception_handlers(app: FastAPI) -> None:
    """Let the application answer every error in this form."""
    app.add_exception_handler(errors.GroundhogError, handle_domain_error)
    app.add_exception_handler(RequestValidationError, handle_invalid_request)
    app.add_exception_handler(HTTPException, handle_http_error)
    app.add_exception_handler(ClientDisconnect, handle_client_disconnect)
    app.add_exception_handler(Exception, handle_unexpected_error)


_DESCRIPTIONS = {
    401: "No API key came, or one that is not valid, expired or revoked",
    403: "The API key lacks the scope, or is limited to other experiments",
    404: "There is no such thing",
    409: "The present state forbids it",
    412: "Somebody changed it since you read it (If-Match)",
    413: "The body is over the limit",
    415: "The body is not in a format that is read here",
    422: "The message must be changed: see `errors`",
    429: "The API key asks more often than it may; `Retry-After` says when to try again",
    503: "The database is away; `Retry-After` says when to try again",
}


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of an operation's error answers."""
    media = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _DESCRIPTIONS[status], "content": media} for status in statuses}
