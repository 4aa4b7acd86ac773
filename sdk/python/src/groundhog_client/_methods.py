"""From the description of an operation to a method of a client, typed as the description is."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_args

from groundhog_client._wire import Page, Request, after

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
Method = TypeVar("Method", bound=Callable[..., Any])


class Blocking(Protocol):
    """What carries out a request by blocking."""

    def call(self, request: Request[T], /) -> T:
        """Return what the answer says."""


class Awaiting(Protocol):
    """What carries out a request by awaiting."""

    async def call(self, request: Request[T], /) -> T:
        """Return what the answer says."""


def calls(describe: Callable[P, Request[T]]) -> Callable[Concatenate[Blocking, P], T]:
    """Return the blocking method of an operation."""

    @wraps(describe)
    def method(client: Blocking, /, *args: P.args, **named: P.kwargs) -> T:
        return client.call(describe(*args, **named))

    return _signed(method, describe)


def awaits(describe: Callable[P, Request[T]]) -> Callable[Concatenate[Awaiting, P], Coroutine[Any, Any, T]]:
    """Return the awaitable method of an operation."""

    @wraps(describe)
    async def method(client: Awaiting, /, *args: P.args, **named: P.kwargs) -> T:
        return await client.call(describe(*args, **named))

    return _signed(method, describe)


def each(describe: Callable[P, Request[Page[Item]]]) -> Callable[Concatenate[Blocking, P], Iterator[Item]]:
    """Return the method that goes through all pages of an operation, from ``cursor`` on."""

    @wraps(describe)
    def method(client: Blocking, /, *args: P.args, **named: P.kwargs) -> Iterator[Item]:
        request: Request[Page[Item]] | None = describe(*args, **named)
        while request is not None:
            page = client.call(request)
            yield from page.items
            request = after(request, page)

    method.__doc__ = _all_of_it(describe)
    return _signed(method, describe)


def awaits_each(
    describe: Callable[P, Request[Page[Item]]],
) -> Callable[Concatenate[Awaiting, P], AsyncIterator[Item]]:
    """Return the method that goes through all pages of an operation, awaiting each, from ``cursor`` on."""

    @wraps(describe)
    async def method(client: Awaiting, /, *args: P.args, **named: P.kwargs) -> AsyncIterator[Item]:
        request: Request[Page[Item]] | None = describe(*args, **named)
        while request is not None:
            page = await client.call(request)
            for item in page.items:
                yield item
            request = after(request, page)

    method.__doc__ = _all_of_it(describe)
    return _signed(method, describe)


def _all_of_it(describe: Callable[..., Request[Any]]) -> str:
    return f"Return, one by one, whatever `{describe.__name__}` has on its pages, each asked for when needed."


def _signed(method: Method, describe: Callable[..., Request[Any]]) -> Method:
    """Give a method the signature that ``help()`` shows: the operation's, with what comes back."""
    described = inspect.signature(describe)
    own = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *described.parameters.values()]
    (answered,) = get_args(described.return_annotation)
    method.__signature__ = described.replace(parameters=own, return_annotation=answered)  # type: ignore[attr-defined]
    return method
