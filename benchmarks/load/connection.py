"""One HTTP/1.1 connection of a client that does as little as possible."""

import asyncio
from typing import cast

from httptools import HttpResponseParser


class Broken(Exception):
    """The connection ended without a whole answer."""


class Connection(asyncio.Protocol):
    """A connection that takes a request at a time, and tells an answer's status only."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[int] | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Connect to an address."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    @property
    def closing(self) -> bool:
        """Tell whether it takes no more requests."""
        return self._transport.is_closing()

    async def send(self, request: bytes) -> int:
        """Send a whole request and return the status of its answer, once that is here to its end.

        Raises
        ------
        Broken: the answer did not come, or not whole
        """
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answered

    def close(self) -> None:
        """Close it."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read answers."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """Read a part of an answer."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Give the waiting sender the status; called by the parser."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(self._parser.get_status_code())
        if not self._parser.should_keep_alive():
            self._transport.close()

    def connection_lost(self, reason: Exception | None) -> None:
        """Tell the waiting sender."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(Broken(str(reason or "closed by the service")))
