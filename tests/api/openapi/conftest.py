"""Tests out of the description, of which there is one for each operation."""

import pytest
from schemathesis.pytest.plugin import SchemathesisFunction


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each of schemathesis's tests an id of its own: pytest-xdist runs only one of those that share one."""
    if isinstance(item, SchemathesisFunction):
        item._id = item.parent.id.child(item.name)
