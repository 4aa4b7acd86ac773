"""A server that answers when it is told to: what a client measures of it is known beforehand."""

import asyncio
import threading
import time
from contextlib import contextmanager


class Stub:
    """Answers each request after a while; stands still for once; counts what came."""

    def __init__(self, delay=0.0, status=200, cuts=()):
        self.delay, self.status, self.cuts = delay, status, cuts
        self.received = 0

    def stand_still(self, after, seconds):
        """Serve nobody for some seconds: the whole server stops, not a connection."""
        self.loop.call_soon_threadsafe(self.loop.call_later, after, time.sleep, seconds)

    async def _serve(self, reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.received += 1
                if self.received in self.cuts:
                    break
                await asyncio.sleep(self.delay)
                writer.write(f"HTTP/1.1 {self.status} OK\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _run(self, started):
        self.loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            await self._ended.wait()

    @contextmanager
    def running(self):
        started = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._run(started)))
        thread.start()
        started.wait(120)
        try:
            yield self
        finally:
            self.loop.call_soon_threadsafe(self._ended.set)
            thread.join(120)
