"""Small simulations over HTTP."""

from tests.support.simulations import client, simulate, until  # noqa: F401 - fixtures
