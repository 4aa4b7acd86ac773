"""A service with a little in it for tests that may store nothing."""

from tests.support.fixtures.command import groundhog  # noqa: F401 - a fixture
from tests.support.fixtures.filled_service import contents, nothing_is_stored, service  # noqa: F401 - fixtures
