"""The synchronous transport's connections: opened when needed, and never shared with another process."""

import threading

import httpx2

from groundhog_client._errors import GroundhogError
from groundhog_client._process.fork import renew_after_fork
from groundhog_client._transport.http import CONNECTIONS


class Connections:
    """A pool of connections of this process; threads may share it.

    Parameters
    ----------
    given : the program's own client, used instead of a pool; it stays the program's to close
    """

    def __init__(self, given: httpx2.Client | None) -> None:
        self._given, self._used, self._inherited = given, False, False
        self._pool: httpx2.Client | None = None
        self._lock = threading.Lock()
        renew_after_fork(self)

    def _after_fork(self) -> None:
        """Drop the parent's connections without closing them: the parent continues to use them."""
        self._inherited = self._used
        self._pool, self._lock = None, threading.Lock()

    def http(self) -> httpx2.Client:
        """Return the client to send with.

        Raises
        ------
        GroundhogError: it is the program's own, and connections of the parent process may be in it
        """
        if self._given is not None:
            return self._checked(self._given)
        with self._lock:
            if self._pool is None:
                self._pool = httpx2.Client(limits=CONNECTIONS)
            return self._pool

    def _checked(self, given: httpx2.Client) -> httpx2.Client:
        if self._inherited:
            raise GroundhogError(
                "this process was forked after its parent used the httpx2.Client given as http=, whose connections"
                " would be shared: create it, and the groundhog_client.Client, after the fork"
            )
        self._used = True
        return given

    def drop(self) -> None:
        """Open new connections from now on; requests of other threads end on the old ones."""
        with self._lock:
            self._pool = None

    def close(self) -> None:
        """Close the connections, unless they are the program's own."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
