"""All tests of this folder start processes; some send events of units."""

from pathlib import Path

import pytest

from tests.support.fixtures.events import assign  # noqa: F401 - a fixture


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.system)
