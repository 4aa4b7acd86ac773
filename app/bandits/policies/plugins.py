"""Policies that other packages bring, by the entry-point group ``groundhog.policies``."""

import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from app.bandits.policies.registry import register
from app.errors import Invalid

ENTRY_POINT_GROUP = "groundhog.policies"


def load_plugins() -> None:
    """Register every installed policy under its entry point's name; doing so again changes nothing.

    Raises
    ------
    Invalid: a package cannot be loaded, or what it names is no policy
    """
    for point in _entry_points(tuple(sys.path)):
        try:
            register(point.name, point.load())
        except (ImportError, AttributeError, SyntaxError, ValueError) as fault:
            named = f"{point.name} = {point.value}"
            raise Invalid(f"the policy {named!r} of an installed package cannot be used: {fault}") from fault


@cache
def _entry_points(path: tuple[str, ...]) -> list[EntryPoint]:  # noqa: ARG001  another path has other packages
    """Return the entry points by name: looked up once, as it reads the metadata of every installed package."""
    return sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda found: (found.name, found.value))
