"""Answers kept by their ETag: asked again, the service says 304 and sends nothing."""

import threading
from collections import OrderedDict
from urllib.parse import urlencode

from groundhog_client._wire import Answer, Request


class KeptAnswers:
    """The last answers to different questions, as many as asked for; the least used go first."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, request: Request[object]) -> Answer | None:
        """Return what is kept for a request."""
        question = _question(request)
        with self._lock:
            if question in self._answers:
                self._answers.move_to_end(question)
            return self._answers.get(question)

    def put(self, request: Request[object], answer: Answer) -> None:
        """Keep an answer that has an entity tag."""
        if "etag" not in answer.headers:
            return
        with self._lock:
            self._answers[_question(request)] = answer
            self._answers.move_to_end(_question(request))
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)


def _question(request: Request[object]) -> str:
    return f"{request.path}?{urlencode(sorted(request.params.items()), doseq=True)}"
