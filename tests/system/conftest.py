"""Units to send events of."""

from tests.support.fixtures.events import assign  # noqa: F401 - a fixture
