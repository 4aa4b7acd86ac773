"""A service that asks for keys, and keys for it."""

import pytest

from app.schemas.api_keys import ApiKeyIn
from app.services.access import api_keys


@pytest.fixture
def keyed(make_client, make_key):
    """A client of a service that reads its keys for every request, and has one."""
    client = make_client(key_cache_seconds=0)
    make_key(client, "admin")
    return client


@pytest.fixture
def make_key(clock):
    """Return a maker of keys, which gives the headers to send."""

    def make(client, *scopes, **more):
        new = ApiKeyIn(name="a key of a test", scopes=scopes, **more)
        with client.app.state.database.transaction() as session:
            made, key = api_keys.create(session, new, clock.now)
        return Headers(made.key_id, key)

    return make


class Headers(dict):
    """The headers that carry a key, and its id."""

    def __init__(self, key_id, key):
        super().__init__({"Authorization": f"Bearer {key}"})
        self.key_id, self.key = key_id, key
