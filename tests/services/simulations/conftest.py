"""Small simulations over HTTP."""

from tests.support.fixtures.simulations import client, simulate, until  # noqa: F401 - fixtures
