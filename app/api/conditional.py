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


class ReadyJson(Response):
    """A response of bytes and headers as they are sent: nothing is left to be rendered.

    Parameters
    ----------
    headers : in the order and with the names that Starlette would give them
    """

    media_type = "application/json"

    def __init__(self, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        self.body, self.status_code, self.background = body, 200, None
        self.raw_headers = headers


def conditional_response(
    body: bytes, etag: str, if_none_match: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON with its entity tag, to be revalidated before each use; without the body where it is known."""
    if headers or (if_none_match is not None and matches(if_none_match, etag)):
        sent = {"ETag": etag, "Cache-Control": "no-cache", **(headers or {})}
        if matches(if_none_match, etag):
            return Response(status_code=304, headers=sent)
        return Response(body, headers=sent, media_type=ReadyJson.media_type)
    return ReadyJson(
        body,
        [
            (b"etag", etag.encode()),
            (b"cache-control", b"no-cache"),
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
        ],
    )
