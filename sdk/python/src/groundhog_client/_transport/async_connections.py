"""The asynchronous transport's connections: a pool for each event loop, never shared with another process."""

import asyncio

import httpx2

from groundhog_client._errors import GroundhogError
from groundhog_client._process.fork import renew_after_fork
from groundhog_client._transport.http import CONNECTIONS

Loop = asyncio.AbstractEventLoop


class AsyncConnections:
    """A pool of connections for each event loop of this process: a connection works in one loop only.

    Parameters
    ----------
    given : the program's own client, used instead, in one loop; it stays the program's to close
    """

    def __init__(self, given: httpx2.AsyncClient | None) -> None:
        self._given, self._inherited = given, False
        self._given_loop: Loop | None = None
        self._pools: dict[Loop, httpx2.AsyncClient] = {}
        renew_after_fork(self)

    def _after_fork(self) -> None:
        """Drop the parent's connections without closing them: the parent continues to use them."""
        self._inherited = self._given_loop is not None
        self._pools = {}

    def http(self) -> httpx2.AsyncClient:
        """Return the client to send with in the running loop.

        Raises
        ------
        GroundhogError: it is the program's own, and its connections belong to another loop or process
        """
        loop = asyncio.get_running_loop()
        if self._given is not None:
            return self._checked(self._given, loop)
        if loop not in self._pools:
            self._forget_closed_loops()
            self._pools[loop] = httpx2.AsyncClient(limits=CONNECTIONS)
        return self._pools[loop]

    def _checked(self, given: httpx2.AsyncClient, loop: Loop) -> httpx2.AsyncClient:
        if self._inherited:
            raise GroundhogError(
                "this process was forked after its parent used the httpx2.AsyncClient given as http=, whose"
                " connections would be shared: create it, and the AsyncClient, after the fork"
            )
        if self._given_loop not in (None, loop):
            raise GroundhogError(
                "the httpx2.AsyncClient given as http= was used in another event loop, and its connections work in"
                " that one only: leave http= out, or create it, and the AsyncClient, in each loop"
            )
        self._given_loop = loop
        return given

    def drop(self) -> None:
        """Open new connections in the running loop from now on."""
        self._pools.pop(asyncio.get_running_loop(), None)

    async def aclose(self) -> None:
        """Close the connections of every loop that still runs, unless they are the program's own."""
        here, pools = asyncio.get_running_loop(), self._pools
        self._pools = {}
        for loop, pool in pools.items():
            if loop is here:
                await pool.aclose()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(pool.aclose(), loop))

    def _forget_closed_loops(self) -> None:
        """Forget pools that can be used no more: their loop ended, and with it their connections."""
        for loop in list(self._pools):
            if loop.is_closed():
                self._pools.pop(loop, None)
