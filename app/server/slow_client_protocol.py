"""Timeouts for slow clients, and a limit for the head of a request.

uvicorn itself waits without limit for the rest of a request and for a client that does not read the response, and
buffers a request's head of any size. Timers are set only for what does not arrive or leave at once, so that an
ordinary request needs none.
"""

import asyncio
import json
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


@dataclass(frozen=True, slots=True)
class ClientTimeouts:
    """The limits of a client.

    Parameters
    ----------
    max_head_bytes : of the request line and the headers together
    header_timeout_seconds : until they are complete
    idle_timeout_seconds : without any byte of a body received, or of a response sent
    min_body_rate : bytes per second that a body must reach after ``idle_timeout_seconds``
    """

    max_head_bytes: int
    header_timeout_seconds: float
    idle_timeout_seconds: float
    min_body_rate: int


class ReadStage(Enum):
    """The part of a request that is awaited."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class SlowClientProtocol(HttpToolsProtocol):
    """uvicorn's connection with timeouts: it responds 408 and 431 as problem+json, and closes."""

    def __init__(self, timeouts: ClientTimeouts, **options: Any) -> None:
        super().__init__(**options)
        self._timeouts = timeouts
        self._stage = ReadStage.HEAD
        self._is_new = False  # no byte of the awaited part was counted yet
        self._began = self._last = self.loop.time()
        self._size = 0  # bytes of the awaited part, without the chunk being read
        self._chunk = 0
        self._receive_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None

    # ---- receiving the request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the head of the first request."""
        super().connection_made(transport)
        self._start_receive_timer()

    def data_received(self, data: bytes) -> None:
        """Read a chunk of a request, and start a timer if there is more to come."""
        before, scope = self._stage, self.scope
        self._chunk = len(data)
        super().data_received(data)
        if self._stage is ReadStage.NOTHING:
            if before is not ReadStage.NOTHING or scope is not self.scope:
                return  # a complete request, as in nearly all cases
            self._await(ReadStage.HEAD)  # line breaks between requests begin none, but occupy the connection
        if not self.transport.is_closing():
            self._count()

    def on_message_begin(self) -> None:
        """Wait for a head."""
        self._await(ReadStage.HEAD)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Pass the request on, unless its head is too large."""
        service = self.app
        if self._head_is_too_large():
            self.app = self._respond_head_too_large
        self._await(ReadStage.BODY)
        super().on_headers_complete()
        self.app = service

    def on_message_complete(self) -> None:
        """Wait for nothing more: uvicorn has the timeout between two requests."""
        self._stage = ReadStage.NOTHING
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Reject what is not HTTP, in the format of all errors."""
        self._reject(HTTPStatus.BAD_REQUEST, msg)

    def _await(self, stage: ReadStage) -> None:
        self._stage, self._size, self._is_new = stage, 0, True

    def _count(self) -> None:
        self._last = self.loop.time()
        if self._is_new:
            self._began, self._is_new = self._last, False
        self._size += self._chunk
        if self._stage is ReadStage.HEAD and self._size > self._timeouts.max_head_bytes:
            self._reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, self._too_large())
        elif self._receive_timer is None:
            self._start_receive_timer()

    def _head_is_too_large(self) -> bool:
        limit = self._timeouts.max_head_bytes
        if self._size + self._chunk <= limit:  # possibly only a part of the last chunk
            return False
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > limit

    def _too_large(self) -> str:
        limit = self._timeouts.max_head_bytes
        return f"the request line and headers have more than {limit} bytes (GROUNDHOG_MAX_HEAD_BYTES)"

    async def _respond_head_too_large(self, *_: object) -> None:
        self._reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, self._too_large())

    def _start_receive_timer(self) -> None:
        limits = self._timeouts
        seconds = (
            limits.header_timeout_seconds if self._stage is ReadStage.HEAD else limits.idle_timeout_seconds
        )
        since = self._began if self._stage is ReadStage.HEAD else self._last
        self._receive_timer = self.loop.call_at(
            max(since + seconds, self.loop.time() + 1), self._on_receive_timer
        )

    def _on_receive_timer(self) -> None:
        self._receive_timer = None
        if self._stage is ReadStage.NOTHING or self.transport.is_closing():
            return
        if not self._is_late():
            self._start_receive_timer()
        elif self._stage is ReadStage.HEAD and self._size == 0:
            self.transport.close()  # no request was begun
        else:
            what = "headers" if self._stage is ReadStage.HEAD else "body"
            self._reject(HTTPStatus.REQUEST_TIMEOUT, f"the {what} arrived too slowly; nothing was done")

    def _is_late(self) -> bool:
        now, limits = self.loop.time(), self._timeouts
        if self._stage is ReadStage.HEAD:
            return self._is_responded() and now - self._began >= limits.header_timeout_seconds
        if self._is_responded():
            return True  # the rest of a rejected body is read only for this long
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._last = now  # the service has made the client wait
            return False
        enough = limits.idle_timeout_seconds + self._size / limits.min_body_rate
        return now - self._last >= limits.idle_timeout_seconds or now - self._began > enough

    def _is_responded(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    # ---- sending the response

    def pause_writing(self) -> None:
        """Wait for a client that has not read the response so far."""
        super().pause_writing()
        self._start_send_timer()

    def resume_writing(self) -> None:
        """Continue with the response."""
        super().resume_writing()
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

    def _start_send_timer(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._send_timer = self.loop.call_later(
            self._timeouts.idle_timeout_seconds, self._on_send_timer, left
        )

    def _on_send_timer(self, left_before: int) -> None:
        if self.transport.get_write_buffer_size() >= left_before:
            self.transport.abort()
        else:
            self._start_send_timer()

    # ---- closing

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        for timer in (self._receive_timer, self._send_timer):
            if timer is not None:
                timer.cancel()
        self._receive_timer = self._send_timer = None
        super().connection_lost(exc)

    def _reject(self, status: HTTPStatus, detail: str) -> None:
        """Respond, unless a response has begun, and close; the application sees a disconnected client."""
        if self.cycle is None or not self.cycle.response_started:
            self.transport.write(_error_response(status, detail))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _error_response(status: HTTPStatus, detail: str) -> bytes:
    """Return the bytes of an error response: no application has seen the request, so it has no request id."""
    problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    body = json.dumps(problem).encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/problem+json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
