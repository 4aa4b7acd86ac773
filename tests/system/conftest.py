"""Units to send events of."""

from tests.support.events import assign  # noqa: F401 - a fixture
