"""A service with a little in it for tests that may store nothing."""

import pytest
from schemathesis.pytest.plugin import SchemathesisFunction

from tests.support.fixtures.filled_service import contents, nothing_is_stored, service  # noqa: F401 - fixtures


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each of schemathesis's tests an id of its own: pytest-xdist runs only one of those that share one."""
    if isinstance(item, SchemathesisFunction):
        item._id = item.parent.id.child(item.name)
