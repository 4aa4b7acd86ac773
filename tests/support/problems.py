"""The one form that every rejection has."""

import re
from typing import Any

LEAKS = re.compile(
    r"select |insert into|delete from|psycopg|sqlalchemy|relation \"|traceback|nan\b|inf\b", re.IGNORECASE
)


def problem(answer: Any, status: int) -> list[dict[str, Any]]:
    """Check that an answer is a rejection in the one form all of them have, and return its field errors."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    body = answer.json()
    assert set(body) - {"errors"} == {"type", "title", "status", "detail", "request_id"}
    assert (body["status"], body["request_id"]) == (status, answer.headers["X-Request-ID"])
    assert not LEAKS.search(answer.text), answer.text
    assert len(answer.content) < 50_000
    errors: list[dict[str, Any]] = body.get("errors", [])
    return errors


def fields(answer: Any, status: int) -> list[str]:
    """Return the names of the fields that a rejection complains about."""
    return [error["field"] for error in problem(answer, status)]


def unavailable(answer: Any) -> None:
    """Check that an answer is a 503 that says when to try again."""
    problem(answer, 503)
    assert int(answer.headers["Retry-After"]) >= 1
