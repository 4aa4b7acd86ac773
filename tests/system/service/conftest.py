"""Data homes for servers of the tests' own, and processes that hold them, ended by their pid."""

from tests.support.fixtures.command import groundhog  # noqa: F401 - a fixture
from tests.support.processes import folder, home, spawn, template, used_home  # noqa: F401 - fixtures
