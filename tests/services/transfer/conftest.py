"""An experiment with a past, its file, and another server for it to go to."""

from tests.support.fixtures.transfer import elsewhere, exported  # noqa: F401 - fixtures
