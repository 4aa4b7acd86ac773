"""A route that calls its function without FastAPI's work around it, where a request allows that."""

from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import cached_property, partial
from inspect import iscoroutinefunction, signature
from typing import Any

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.authorization import Handler
from app.api.routing.arguments import Arguments, NotPlain, arguments_of


class DirectRoute(APIRoute):
    """A route whose function is called directly where it returns a response itself and its arguments are plain.

    Such a function takes no form and has no dependency that ends after it: nothing is closed then.
    """

    def __init__(self, *options: Any, **more: Any) -> None:
        super().__init__(*options, **more)
        self._handle = self.get_route_handler()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that matches; errors get the responses that the application has for them."""
        if self.arguments is not None:
            await self._respond(scope, receive, send)
            return
        async with _exit_stack(scope):  # open until a stream has ended
            await self._respond(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await self._handle(request)
        except Exception as error:
            response = await _error_response(request, error)
        await response(scope, receive, send)

    @cached_property
    def arguments(self) -> Arguments | None:
        """Return how the function is called directly; None where it does not make its response itself."""
        if signature(self.endpoint).return_annotation is not Response:
            return None
        return arguments_of(self.dependant)

    def get_route_handler(self) -> Handler:
        """Return the handler: the function itself where that is possible and the request is plain."""
        by_framework, arguments = super().get_route_handler(), self.arguments
        if arguments is None:
            return by_framework
        function: Callable[..., Any] = (
            self.endpoint if iscoroutinefunction(self.endpoint) else partial(run_in_threadpool, self.endpoint)
        )

        async def handle(request: Request) -> Response:
            values = None
            with suppress(NotPlain):
                values = await arguments.read(request)
            # Not in an except block: the exception would hold the errors of a large body in memory
            if values is None:
                async with _exit_stack(request.scope):
                    return await by_framework(request)
            response: Response = await function(**values)
            return response

        return handle


def _exit_stack(scope: Scope) -> AsyncExitStack:
    """Return a new stack, which FastAPI's handlers find in the scope of a request by these names."""
    stack = AsyncExitStack()
    for name in ("fastapi_middleware_astack", "fastapi_inner_astack", "fastapi_function_astack"):
        scope[name] = stack
    return stack


async def _error_response(request: Request, error: Exception) -> Response:
    """Return the response to an error of a class that the application knows; raise any other."""
    handlers = request.app.exception_handlers
    handler = next((handlers[one] for one in type(error).__mro__ if one in handlers), None)
    if handler is None or handler is handlers.get(Exception):
        raise error
    response: Response = await handler(request, error)
    error.__traceback__ = None  # an error that is raised again and again would collect them
    return response
