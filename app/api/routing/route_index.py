"""Find a request's route among those of its method and first path segment, instead of among all."""

from collections import defaultdict
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.routing.direct_route import DirectRoute

ANY_SEGMENT = "{"
"""In place of the first segment where a route's is a parameter, or unknown."""


class RouteIndex:
    """Serve a request by the first direct route that matches it; by the framework wherever that is not certain.

    The framework has the other routes (pages, files), the errors 404 and 405, and what was added to it late.

    Parameters
    ----------
    framework : serves a request of any route
    """

    def __init__(self, router: APIRouter, framework: ASGIApp) -> None:
        self._routes: Sequence[BaseRoute] = router.routes
        self._framework = framework
        self._candidates: dict[tuple[str, str], list[DirectRoute]] = {}
        self._indexed = -1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to its route."""
        route = self._find(scope) if scope["type"] == "http" and not scope.get("root_path") else None
        await (self._framework if route is None else route.serve)(scope, receive, send)

    def _find(self, scope: Scope) -> DirectRoute | None:
        if self._indexed != len(self._routes):
            self._candidates = _by_method_and_segment(self._routes)
            self._indexed = len(self._routes)
        path: str = scope["path"]
        for route in self._candidates.get((scope["method"], first_segment(path)), ()):
            matched = route.path_regex.match(path)
            if matched is not None:
                scope["endpoint"], scope["route"] = route.endpoint, route
                scope["path_params"] = {
                    name: route.param_convertors[name].convert(value)
                    for name, value in matched.groupdict().items()
                }
                return route
        return None


def first_segment(path: str) -> str:
    """Return what a path has between its first two slashes."""
    return path[1:].partition("/")[0]


def _by_method_and_segment(routes: Sequence[BaseRoute]) -> dict[tuple[str, str], list[DirectRoute]]:
    """Return the direct routes that nothing before them can hide, in their order."""
    found: dict[tuple[str, str], list[DirectRoute]] = defaultdict(list)
    hidden: set[str] = set()
    for route in routes:
        segment = first_segment(getattr(route, "path", ANY_SEGMENT))
        if not isinstance(route, DirectRoute) or ANY_SEGMENT in segment:
            hidden.add(segment if ANY_SEGMENT not in segment else ANY_SEGMENT)
        elif segment not in hidden and ANY_SEGMENT not in hidden:
            for method in route.methods or ():
                found[method, segment].append(route)
    return found
