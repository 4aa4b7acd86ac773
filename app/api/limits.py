"""Refuse bodies over the limit before they fill the memory."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import refusal
from app.errors import TooLarge


class BodyLimit:
    """Answer 413 to a body over ``max_bytes``, declared or streamed; some paths keep their own limit."""

    def __init__(self, app: ASGIApp, max_bytes: int, unlimited: frozenset[str]) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.unlimited = unlimited
        self.detail = f"the body is over {max_bytes} bytes (GROUNDHOG_MAX_BODY_BYTES)"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body watched."""
        if scope["type"] != "http" or scope["path"] in self.unlimited:
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isascii() and declared.isdigit() and int(declared[:18]) > self.max_bytes:
            await refusal(TooLarge(self.detail), scope["path"])(scope, receive, send)
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
