"""A service that asks for keys, and keys for it."""

from tests.support.fixtures.keys import keyed, make_key  # noqa: F401 - fixtures
