"""How long a connection waits for a slow client, and how much it keeps before it has a request.

uvicorn by itself waits for ever for the rest of a request, keeps a request's head whatever its size, and waits for
ever for whoever does not take the answer. Timers are set only for what did not come or go at once, so that an
ordinary request costs none.
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
    """What a client may take of us.

    Parameters
    ----------
    max_head_bytes : of the request line and the headers together
    header_timeout_seconds : how long they may take to come
    idle_timeout_seconds : how long nothing may come of a body, or go of an answer
    min_body_rate : bytes per second that a body must reach once it has taken ``idle_timeout_seconds``
    """

    max_head_bytes: int
    header_timeout_seconds: float
    idle_timeout_seconds: float
    min_body_rate: int


class ReadStage(Enum):
    """What of a request is awaited."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class SlowClientProtocol(HttpToolsProtocol):
    """uvicorn's connection, with an end to its patience: 408 and 431 as problem+json, then it is closed."""

    def __init__(self, patience: ClientTimeouts, **given: Any) -> None:
        super().__init__(**given)
        self._patience = patience
        self._stage = ReadStage.HEAD
        self._is_new = False  # nothing of what is awaited was counted yet
        self._began = self._last = self.loop.time()
        self._size = 0  # bytes of what is awaited, without the piece being read
        self._piece = 0
        self._sender: asyncio.TimerHandle | None = None
        self._reader: asyncio.TimerHandle | None = None

    # ---- what the client sends

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request's head."""
        super().connection_made(transport)
        self._watch_sender()

    def data_received(self, data: bytes) -> None:
        """Read a piece of a request; a clock runs for the rest of it, if there is one."""
        before, scope = self._stage, self.scope
        self._piece = len(data)
        super().data_received(data)
        if self._stage is ReadStage.NOTHING:
            if before is not ReadStage.NOTHING or scope is not self.scope:
                return  # a whole request, as nearly always
            self._await(ReadStage.HEAD)  # line breaks between requests begin nothing, but hold the connection
        if not self.transport.is_closing():
            self._count()

    def on_message_begin(self) -> None:
        """Wait for a head."""
        self._await(ReadStage.HEAD)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Pass a request on, unless its head is too large."""
        service = self.app
        if self._head_is_too_large():
            self.app = self._answer_large_head
        self._await(ReadStage.BODY)
        super().on_headers_complete()
        self.app = service

    def on_message_complete(self) -> None:
        """Wait for nothing more: the time between two requests is uvicorn's."""
        self._stage = ReadStage.NOTHING
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP in the form that all refusals have."""
        self._reject(HTTPStatus.BAD_REQUEST, msg)

    def _await(self, stage: ReadStage) -> None:
        self._stage, self._size, self._is_new = stage, 0, True

    def _count(self) -> None:
        self._last = self.loop.time()
        if self._is_new:
            self._began, self._is_new = self._last, False
        self._size += self._piece
        if self._stage is ReadStage.HEAD and self._size > self._patience.max_head_bytes:
            self._reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, self._too_large())
        elif self._sender is None:
            self._watch_sender()

    def _head_is_too_large(self) -> bool:
        most = self._patience.max_head_bytes
        if self._size + self._piece <= most:  # of the last piece a part only, perhaps
            return False
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > most

    def _too_large(self) -> str:
        most = self._patience.max_head_bytes
        return f"the request line and headers are over {most} bytes (GROUNDHOG_MAX_HEAD_BYTES)"

    async def _answer_large_head(self, *_: object) -> None:
        self._reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, self._too_large())

    def _watch_sender(self) -> None:
        limits = self._patience
        seconds = (
            limits.header_timeout_seconds if self._stage is ReadStage.HEAD else limits.idle_timeout_seconds
        )
        since = self._began if self._stage is ReadStage.HEAD else self._last
        self._sender = self.loop.call_at(max(since + seconds, self.loop.time() + 1), self._look_at_sender)

    def _look_at_sender(self) -> None:
        self._sender = None
        if self._stage is ReadStage.NOTHING or self.transport.is_closing():
            return
        if not self._is_late():
            self._watch_sender()
        elif self._stage is ReadStage.HEAD and self._size == 0:
            self.transport.close()  # nothing was asked
        else:
            what = "headers" if self._stage is ReadStage.HEAD else "body"
            self._reject(HTTPStatus.REQUEST_TIMEOUT, f"the {what} came too slowly; nothing was done")

    def _is_late(self) -> bool:
        now, limits = self.loop.time(), self._patience
        if self._stage is ReadStage.HEAD:
            return self._is_answered() and now - self._began >= limits.header_timeout_seconds
        if self._is_answered():
            return True  # what still comes of a body that was refused is read for so long and no longer
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._last = now  # it is we who keep the client waiting
            return False
        enough = limits.idle_timeout_seconds + self._size / limits.min_body_rate
        return now - self._last >= limits.idle_timeout_seconds or now - self._began > enough

    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    # ---- what the client takes

    def pause_writing(self) -> None:
        """Wait for a client that has not taken the answer so far."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def _watch_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._reader = self.loop.call_later(self._patience.idle_timeout_seconds, self._look_at_reader, left)

    def _look_at_reader(self, left_before: int) -> None:
        if self.transport.get_write_buffer_size() >= left_before:
            self.transport.abort()
        else:
            self._watch_reader()

    # ---- the end

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clocks."""
        for timer in (self._sender, self._reader):
            if timer is not None:
                timer.cancel()
        self._sender = self._reader = None
        super().connection_lost(exc)

    def _reject(self, status: HTTPStatus, detail: str) -> None:
        """Answer, unless an answer has begun, and close; the application sees that the client is gone."""
        if self.cycle is None or not self.cycle.response_started:
            self.transport.write(_answer(status, detail))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _answer(status: HTTPStatus, detail: str) -> bytes:
    """Return the bytes of a refusal: no application has seen the request, so there is no request id."""
    said = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    body = json.dumps(said).encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/problem+json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
