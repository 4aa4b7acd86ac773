"""Conditional requests: 304 for a client that has the current content, and only the change it meant to make."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header
from starlette.responses import Response

from app.schemas.etags import matches

IfNoneMatch = Annotated[str | None, Header(description="The ETag of the response you have")]
IfMatch = Annotated[str | None, Header(description="The ETag you read: change only if it is still current")]

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Unchanged since the ETag in If-None-Match"}
}


def conditional_response(
    body: bytes, etag: str, if_none_match: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON with its entity tag, to be revalidated before each use; without the body where it is known."""
    sent = {"ETag": etag, "Cache-Control": "no-cache", **(headers or {})}
    if matches(if_none_match, etag):
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent, media_type="application/json")
