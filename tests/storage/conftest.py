"""A PostgreSQL that a test may stop."""

from tests.support.fixtures.stoppable_server import server, url  # noqa: F401 - fixtures
