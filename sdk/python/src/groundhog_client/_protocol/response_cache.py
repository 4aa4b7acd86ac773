"""A cache of answers by their ETag: for an unchanged answer the service sends 304 and no body."""

import threading
from collections import OrderedDict
from urllib.parse import urlencode

from groundhog_client._process.fork import renew_after_fork
from groundhog_client._protocol.request import Answer, Request


class ResponseCache:
    """The answers to the most recently sent requests; threads may share it.

    Parameters
    ----------
    size : how many answers are cached; the least recently used is dropped first
    """

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._lock = threading.Lock()
        renew_after_fork(self)

    def _after_fork(self) -> None:
        """Replace the lock, which a thread of the parent may have held."""
        self._lock = threading.Lock()

    def get(self, request: Request[object]) -> Answer | None:
        """Return the cached answer to a request."""
        key = _key(request)
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, request: Request[object], answer: Answer) -> None:
        """Cache an answer, if it has an ETag."""
        if "etag" not in answer.headers:
            return
        with self._lock:
            self._answers[_key(request)] = answer
            self._answers.move_to_end(_key(request))
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)


def _key(request: Request[object]) -> str:
    return f"{request.path}?{urlencode(sorted(request.params.items()), doseq=True)}"
