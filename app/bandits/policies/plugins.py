"""Policies that other packages bring, by the entry-point group ``groundhog.policies``."""

from importlib.metadata import entry_points

from app.bandits.policies.registry import register
from app.errors import Invalid

ENTRY_POINT_GROUP = "groundhog.policies"


def load_plugins() -> None:
    """Register every installed policy under its entry point's name; doing so again changes nothing.

    Raises
    ------
    Invalid: a package cannot be loaded, or what it names is no policy
    """
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda found: (found.name, found.value)):
        try:
            register(point.name, point.load())
        except (ImportError, AttributeError, SyntaxError, ValueError) as error:
            named = f"{point.name} = {point.value}"
            raise Invalid(f"the policy {named!r} of an installed package cannot be used: {error}") from error
