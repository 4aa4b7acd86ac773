"""What both transports pass to httpx2: address, headers, timeouts; and what its errors mean."""

import platform
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx2

from groundhog_client._errors import ConnectionLost, NoAnswer, Unreachable
from groundhog_client._protocol.call import Send
from groundhog_client._version import __version__

CONNECT_SECONDS = 5.0
CONNECTIONS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4.0)
"""The service closes idle connections after 5 s; closing them first avoids sending a request into a closed one."""
ID_PREFIX = "groundhog-client-"
"""Of the ids of requests; the service repeats a request's id in its answer."""
UNHURRIED_SECONDS = 600.0
"""How long the answer to an upload may take once the upload is sent."""
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


def base_url(url: str) -> str:
    """Return the URL that paths are appended to.

    Raises
    ------
    ValueError: it is not an http or https URL
    """
    parsed = httpx2.URL(url)
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.query:
        raise ValueError(
            f"{url!r} is not the address of a service: it should look like http://localhost:8000"
        )
    return url.rstrip("/")


def common_headers(api_key: str | None) -> dict[str, str]:
    """Return the headers of every request."""
    agent = f"groundhog-client/{__version__} python/{platform.python_version()}"
    authorization = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    return {"User-Agent": agent, "Accept": "application/json, */*;q=0.5", **authorization}


def timeouts(seconds: float | None) -> httpx2.Timeout:
    """Return the timeouts of an attempt."""
    if seconds is None:
        return httpx2.Timeout(UNHURRIED_SECONDS, connect=CONNECT_SECONDS)
    return httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))


def request_arguments(send: Send, url: str, common: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of httpx2's ``stream`` for an attempt, except its content; each has a request id."""
    request, request_id = send.request, ID_PREFIX + uuid4().hex
    return {
        "method": request.method,
        "url": url + request.path,
        "params": request.params or None,
        "headers": {**common, **request.headers, "X-Request-ID": request_id},
        "timeout": timeouts(send.seconds),
    }


def wrong_answer(response: httpx2.Response) -> ConnectionLost | None:
    """Return the error of an answer that belongs to another request; None for the right one.

    A gateway may replace request ids by its own: an id that no client of this package made proves nothing.
    """
    sent, answered = response.request.headers["x-request-id"], response.headers.get("x-request-id", "")
    if answered == sent or not answered.startswith(ID_PREFIX):
        return None
    return ConnectionLost(f"the answer to another request came ({answered} instead of {sent})")


def connection_error(error: httpx2.RequestError) -> NoAnswer:
    """Return the error of this package that an error of httpx2 stands for."""
    cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, NEVER_SENT):
        return Unreachable(f"the service cannot be reached ({cause})")
    return ConnectionLost(f"the connection was lost ({cause})")


def timeout_error(seconds: float | None) -> ConnectionLost:
    """Return the error of an answer that did not end in time."""
    return ConnectionLost(f"the answer was not there within {seconds:g} seconds")
