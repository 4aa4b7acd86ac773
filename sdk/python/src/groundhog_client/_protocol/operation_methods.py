"""From the function that describes a request to the method of a client, with the same types."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_args

from groundhog_client._protocol.request import Page, Request, next_page

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
Method = TypeVar("Method", bound=Callable[..., Any])


class Blocking(Protocol):
    """A client that sends a request by blocking."""

    def call(self, request: Request[T], /) -> T:
        """Return what the answer holds."""


class Awaiting(Protocol):
    """A client that sends a request by awaiting."""

    async def call(self, request: Request[T], /) -> T:
        """Return what the answer holds."""


def sync_method(describe: Callable[P, Request[T]]) -> Callable[Concatenate[Blocking, P], T]:
    """Return the synchronous method of an operation."""

    @wraps(describe)
    def method(client: Blocking, /, *args: P.args, **named: P.kwargs) -> T:
        return client.call(describe(*args, **named))

    return _signed(method, describe)


def async_method(
    describe: Callable[P, Request[T]],
) -> Callable[Concatenate[Awaiting, P], Coroutine[Any, Any, T]]:
    """Return the asynchronous method of an operation."""

    @wraps(describe)
    async def method(client: Awaiting, /, *args: P.args, **named: P.kwargs) -> T:
        return await client.call(describe(*args, **named))

    return _signed(method, describe)


def sync_iterator(
    describe: Callable[P, Request[Page[Item]]],
) -> Callable[Concatenate[Blocking, P], Iterator[Item]]:
    """Return the method that iterates over all pages of an operation, from ``cursor`` on."""

    @wraps(describe)
    def method(client: Blocking, /, *args: P.args, **named: P.kwargs) -> Iterator[Item]:
        request: Request[Page[Item]] | None = describe(*args, **named)
        while request is not None:
            page = client.call(request)
            yield from page.items
            request = next_page(request, page)

    method.__doc__ = _iterator_doc(describe)
    return _signed(method, describe)


def async_iterator(
    describe: Callable[P, Request[Page[Item]]],
) -> Callable[Concatenate[Awaiting, P], AsyncIterator[Item]]:
    """Return the asynchronous method that iterates over all pages of an operation, from ``cursor`` on."""

    @wraps(describe)
    async def method(client: Awaiting, /, *args: P.args, **named: P.kwargs) -> AsyncIterator[Item]:
        request: Request[Page[Item]] | None = describe(*args, **named)
        while request is not None:
            page = await client.call(request)
            for item in page.items:
                yield item
            request = next_page(request, page)

    method.__doc__ = _iterator_doc(describe)
    return _signed(method, describe)


def _iterator_doc(describe: Callable[..., Request[Any]]) -> str:
    return f"Iterate over all items of `{describe.__name__}`; each page is read when it is needed."


def _signed(method: Method, describe: Callable[..., Request[Any]]) -> Method:
    """Give a method the signature that ``help()`` shows: the operation's, with the type it returns."""
    described = inspect.signature(describe)
    own = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *described.parameters.values()]
    (answered,) = get_args(described.return_annotation)
    method.__signature__ = described.replace(parameters=own, return_annotation=answered)  # type: ignore[attr-defined]
    return method
