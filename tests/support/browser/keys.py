"""API keys for a service that runs in a process of its own."""

import datetime as dt
from typing import Any

from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import Session

from app.schemas.api_keys import ApiKeyIn
from app.services.access import api_keys


class Keys:
    """Creates and revokes keys in a service's database, as `groundhog keys` does."""

    def __init__(self, database_url: str) -> None:
        self.engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
        self.ids: dict[str, str] = {}

    def create(self, *scopes: Any, **more: Any) -> str:
        """Create a key and return its secret."""
        with Session(self.engine) as session, session.begin():
            new = ApiKeyIn(name="of a test", scopes=list(scopes), **more)
            made, key = api_keys.create(session, new, dt.datetime.now(dt.UTC))
        self.ids[key] = made.key_id
        return key

    def revoke(self, key: str) -> None:
        """Revoke a key; the service, which caches no keys here, notices at once."""
        with Session(self.engine) as session, session.begin():
            api_keys.revoke(session, self.ids[key], dt.datetime.now(dt.UTC))
