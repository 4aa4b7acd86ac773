"""Answers written down, and a retry policy for tests."""

import httpx2

from groundhog_client import RetryPolicy

EAGER = RetryPolicy(timeout=5.0, deadline=10.0, first_wait=0.0)


class Written:
    """Answers written down, given one after the other; and the requests they were given to."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def header(self, name: str) -> list[str | None]:
        return [request.headers.get(name) for request in self.requests]
