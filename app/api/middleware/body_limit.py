"""Reject bodies over the limit, and compressed ones, before they fill the memory."""

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problem_details import problem_response
from app.errors import TooLarge, UnsupportedMediaType

COMPRESSED_BODY = "Content-Encoding is not supported: send the body uncompressed (zcat daily.csv.gz | ...)"


class BodySizeLimitMiddleware:
    """Respond 413 to a body over ``max_bytes``, declared or streamed; some paths have a limit of their own.

    A compressed body is 415 everywhere: a few kilobytes of it can expand to gigabytes.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, unlimited: frozenset[str]) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.unlimited = unlimited
        self.detail = f"the body has more than {max_bytes} bytes (GROUNDHOG_MAX_BODY_BYTES)"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body's size checked."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        encoding, declared = _encoding_and_length(scope["headers"])
        if encoding.strip().lower() not in {b"", b"identity"}:
            await problem_response(UnsupportedMediaType(COMPRESSED_BODY), scope["path"])(scope, receive, send)
            return
        if scope["path"] in self.unlimited:
            await self.app(scope, receive, send)
            return
        if declared.isdigit() and int(declared[:18]) > self.max_bytes:
            await problem_response(TooLarge(self.detail), scope["path"])(scope, receive, send)
            return
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.max_bytes:
                raise HTTPException(413, self.detail)
            return message

        await self.app(scope, receive_within_limit, send)


def _encoding_and_length(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Return the first Content-Encoding and the first Content-Length of a request."""
    encoding = length = None
    for name, value in headers:
        if name == b"content-encoding" and encoding is None:
            encoding = value
        elif name == b"content-length" and length is None:
            length = value
    return encoding or b"", length or b"0"
