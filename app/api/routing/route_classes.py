"""Route classes: check the permission first; and also reject unknown query parameters."""

from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant
from starlette.requests import Request
from starlette.responses import Response

from app.api.authorization import Handler, require_permission
from app.api.routing.direct_route import DirectRoute
from app.errors import FieldError, Invalid

MAX_NAME_SHOWN = 64


class StrictRoute(DirectRoute):
    """A route for which ``?fordate=2023-07-16`` is an error, instead of the answer for today."""

    def get_route_handler(self) -> Handler:
        """Return the handler behind the check of the query's names."""
        handler = super().get_route_handler()
        known = _query_names(self.dependant)

        async def handle_known(request: Request) -> Response:
            if request.scope["query_string"]:
                _reject_unknown(request, known)
            return await handler(request)

        return require_permission(self, handle_known)


def _query_names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*map(_query_names, dependant.dependencies))


def _reject_unknown(request: Request, known: set[str]) -> None:
    query = request.scope["query_string"].decode("latin-1")
    unknown = {name for name, _ in parse_qsl(query, keep_blank_values=True)} - known
    if unknown:
        choices = ", ".join(sorted(known)) or "none"
        errors = [
            FieldError(f"query.{name[:MAX_NAME_SHOWN]}", f"There is no such parameter; there are: {choices}")
            for name in sorted(unknown)[:10]
        ]
        raise Invalid("the query has unknown parameters", errors)


class ProtectedRoute(DirectRoute):
    """A route that checks the principal's permission before it reads the request."""

    def get_route_handler(self) -> Handler:
        """Return the handler behind the check."""
        return require_permission(self, super().get_route_handler())
