"""Bring a database's schema to the newest migration, and tell whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[2]


def config(url: str | None = None) -> Config:
    """Return the Alembic configuration of this tree, for the database at ``url``."""
    settings = Config(ROOT / "alembic.ini")
    if url is not None:
        settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Upgrade the schema at ``url``; a second process doing the same waits, then finds nothing to do.

    A schema that a newer version of the service has made stays as it is: migrations only add.
    """
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"prepare_threshold": None},  # a pooler may be there
    )
    with Session(engine) as session:
        newer = is_newer(current(session))
    if not newer:
        command.upgrade(config(url), revision)


def head() -> str:
    """Return the newest migration's id."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    assert revision is not None
    return revision


def is_newer(migration: str | None) -> bool:
    """Return whether a migration is none of this version's: a newer version made it."""
    known = ScriptDirectory.from_config(config()).walk_revisions()
    return migration is not None and migration not in {script.revision for script in known}


def current(session: Session) -> str | None:
    """Return the id of the migration the database is at, or None where it was never migrated."""
    if session.scalar(text("select to_regclass('alembic_version')")) is None:
        return None
    version: str | None = session.scalar(text("select version_num from alembic_version"))
    return version
