"""Bring a database's schema to the newest migration, and tell whether it is there."""

import time
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[2]
MAX_ATTEMPTS = 10
PAUSE_SECONDS = 0.5
LOCK_CONFLICTS = (DeadlockDetected, LockNotAvailable)
"""What a migration meets among services that write; it has changed nothing then."""


def config(url: str | None = None) -> Config:
    """Return the Alembic configuration of this tree, for the database at ``url``."""
    settings = Config(ROOT / "alembic.ini")
    if url is not None:
        settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Upgrade the schema at ``url``; a second process doing the same waits, then finds nothing to do.

    Nothing is done to a schema that is there, nor to one that a newer version of the service has made: migrations
    only add. Where services write meanwhile, PostgreSQL may have to end the migration for their sake; it is begun
    again.
    """
    with _session(url) as session:
        at = current(session)
    if not (is_newer(at) or (revision == "head" and at == head())):
        _upgrade_among_writers(url, revision)


def is_up_to_date_at(url: str) -> bool:
    """Return whether the schema at ``url`` is there."""
    with _session(url) as session:
        return is_up_to_date(session)


def _session(url: str) -> Session:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"prepare_threshold": None},  # a pooler may be there
    )
    return Session(engine)


def is_up_to_date(session: Session) -> bool:
    """Return whether the schema is the one this version needs, or a newer one, which contains it."""
    at = current(session)
    return at == head() or is_newer(at)


def _upgrade_among_writers(url: str, revision: str) -> None:
    for tries_left in reversed(range(MAX_ATTEMPTS)):
        try:
            command.upgrade(config(url), revision)
        except OperationalError as error:
            if tries_left == 0 or not isinstance(error.orig, LOCK_CONFLICTS):
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


@cache
def head() -> str:
    """Return the newest migration's id."""
    revision = _scripts().get_current_head()
    assert revision is not None
    return revision


def is_newer(migration: str | None) -> bool:
    """Return whether a migration is none of this version's: a newer version made it."""
    return migration is not None and migration not in _known()


@cache
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in _scripts().walk_revisions())


@cache
def _scripts() -> ScriptDirectory:
    """Return this version's migrations; reading them takes longer than a question to the database."""
    return ScriptDirectory.from_config(config())


def current(session: Session) -> str | None:
    """Return the id of the migration the database is at, or None where it was never migrated."""
    if session.scalar(text("select to_regclass('alembic_version')")) is None:
        return None
    version: str | None = session.scalar(text("select version_num from alembic_version"))
    return version
