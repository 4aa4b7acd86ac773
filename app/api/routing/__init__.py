"""How a request finds its route and becomes the arguments of its function."""

from app.api.routing.direct_route import DirectRoute
from app.api.routing.route_classes import ProtectedRoute, StrictRoute
from app.api.routing.route_index import RouteIndex

__all__ = ["DirectRoute", "ProtectedRoute", "RouteIndex", "StrictRoute"]
