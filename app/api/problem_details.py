"""Errors as responses: RFC 9457 problem+json, one table of statuses, never an echo of the input."""

import logging
from collections.abc import Callable, Sequence
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
from app.schemas.validation import MAX_MESSAGE, of_sent_fields, to_field_error

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
"""How errors are formatted below a path prefix whose protocol has another format; its module registers it."""
JSON_HINT = "send JSON with the header 'Content-Type: application/json' (curl: --json, or -H with -d)"
UNREADABLE_BODY = (
    "the body cannot be read as JSON: not UTF-8, nested too deeply, or a number with too many digits"
)
STOPPED = "the service stops and cannot tell whether this was done; sending it again is safe"
MAX_ERRORS = 100
MAX_FIELD = 200

logger = logging.getLogger("groundhog.problems")


class FieldProblem(BaseModel):
    """One error of a message."""

    field: str = Field(description="Where: body.0.successes, query.for_date, ...")
    message: str
    line: int | None = Field(default=None, description="Line of a bulk upload")


class Problem(BaseModel):
    """Every error response (RFC 9457, application/problem+json)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "detail": "the request is not valid: body.successes",
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
    field_errors: Sequence[errors.FieldError] = (),
    headers: dict[str, str] | None = None,
) -> ProblemResponse:
    """Return a problem+json response."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
    }
    if field_errors:
        body["errors"] = [_as_json(error) for error in field_errors[:MAX_ERRORS]]
    body["request_id"] = logs.request_id.get()
    return ProblemResponse(body, status, headers=headers)


def _as_json(error: errors.FieldError) -> dict[str, Any]:
    body: dict[str, Any] = {"field": error.field[:MAX_FIELD], "message": error.message[:MAX_MESSAGE]}
    return body if error.line is None else body | {"line": error.line}


async def handle_domain_error(request: Request, error: Exception) -> Response:
    """Respond to an error of the domain with the status of its class."""
    assert isinstance(error, errors.GroundhogError)
    return problem_response(error, request.scope["path"])


def problem_response(error: errors.GroundhogError, path: str) -> Response:
    """Return the response to an error of the domain, in the format of the path's protocol."""
    form = next((form for prefix, form in ERROR_FORMATS.items() if path.startswith(prefix)), as_problem)
    return form(error, path)


def as_problem(error: errors.GroundhogError, path: str) -> Response:
    """Return an error of the domain as problem+json."""
    return problem(STATUS[type(error)], error.detail, error.errors, headers_of(error))


def headers_of(error: errors.GroundhogError) -> dict[str, str]:
    """Return the headers that belong to an error: when to retry, how to authenticate, which methods there are."""
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
    """Respond to a request that does not match its schema; 415 where the cause is its media type."""
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes) and error.body:
        sent = request.headers.get("content-type", "no Content-Type")[:100]
        return problem(415, f"the body came as {sent!r}: {JSON_HINT}")
    found = [to_field_error(one) for one in of_sent_fields(error.errors())[:MAX_ERRORS]]
    where = ", ".join(dict.fromkeys(one.field[:MAX_FIELD] for one in found[:5]))
    return problem(422, f"the request is not valid: {where}", found)


async def handle_http_error(request: Request, error: Exception) -> Response:
    """Respond to what the framework rejects: unknown paths, wrong methods, unreadable bodies."""
    assert isinstance(error, HTTPException)
    path, detail = request.scope["path"], str(error.detail)
    headers = dict(error.headers) if error.headers else {}
    match error.status_code:
        case 400:  # the framework's status for a body that its JSON parser gave up on
            return problem(422, UNREADABLE_BODY, (errors.FieldError("body", UNREADABLE_BODY),))
        case 404:
            return problem_response(errors.NotFound(_not_found(request)), path)
        case 405:
            allowed = allowed_methods(request) or [headers.get("Allow", "GET, HEAD")]
            return problem_response(errors.MethodNotAllowed(detail, allowed), path)
        case 413:
            return problem_response(errors.TooLarge(detail), path)
    return problem(error.status_code, detail, headers=headers)


def _not_found(request: Request) -> str:
    if b"%2f" in request.scope.get("raw_path", b"").lower():
        return "nothing has this path: an encoded slash (%2F) is read as a slash, and ids contain none"
    return "nothing has this path; /docs lists what there is"


def allowed_methods(request: Request) -> list[str]:
    """Return every method of the request's path; the framework names only those of the first matching route."""
    routes = iter_route_contexts(request.app.routes)
    matching = [
        route for route in routes if route.path_regex and route.path_regex.match(request.scope["path"])
    ]
    methods = {method for route in matching for method in route.methods or ()}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


async def handle_client_disconnect(request: Request, error: Exception) -> ProblemResponse:
    """Respond to a client that disconnected within its request: nobody reads it, but it counts as no bug."""
    return problem(400, "the connection ended before the request was complete; nothing was done")


async def handle_unexpected_error(request: Request, error: Exception) -> Response:
    """Respond to a bug with nothing but the request id that finds it in the log."""
    return problem_response(errors.InternalError(), request.scope["path"])


async def respond_shutting_down(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond to a request that a stop of the service no longer waits for."""
    await problem_response(errors.Unavailable(STOPPED), scope["path"])(scope, receive, send)


async def respond_unexpected_error(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond to a bug, wherever it was raised."""
    await problem_response(errors.InternalError(), scope["path"])(scope, receive, send)


def register_exception_handlers(app: FastAPI) -> None:
    """Let the application respond to every error in this format."""
    app.add_exception_handler(errors.GroundhogError, handle_domain_error)
    app.add_exception_handler(RequestValidationError, handle_invalid_request)
    app.add_exception_handler(HTTPException, handle_http_error)
    app.add_exception_handler(ClientDisconnect, handle_client_disconnect)
    app.add_exception_handler(Exception, handle_unexpected_error)


_DESCRIPTIONS = {
    401: "No API key, or one that is not valid, expired or revoked",
    403: "The API key lacks the scope, or is limited to other experiments",
    404: "It does not exist",
    409: "The current state forbids it",
    412: "It has changed since you read it (If-Match)",
    413: "The body is too large",
    415: "The format of the body is not supported",
    422: "The message must be changed: see `errors`",
    429: "The API key exceeds its requests per minute; `Retry-After` has the seconds to wait",
    503: "The database is not available; `Retry-After` has the seconds to wait",
}


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of an operation's error responses."""
    media = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _DESCRIPTIONS[status], "content": media} for status in statuses}
