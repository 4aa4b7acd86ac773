"""Bring a database's schema to the newest migration, and tell whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[2]


def config(url: str | None = None) -> Config:
    """Return the Alembic configuration of this tree, for the database at ``url``."""
    settings = Config(ROOT / "alembic.ini")
    if url is not None:
        settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Upgrade the schema at ``url``; a second process doing the same waits, then finds nothing to do."""
    command.upgrade(config(url), revision)


def head() -> str:
    """Return the newest migration's id."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    assert revision is not None
    return revision


def current(session: Session) -> str | None:
    """Return the id of the migration the database is at, or None where it was never migrated."""
    if session.scalar(text("select to_regclass('alembic_version')")) is None:
        return None
    version: str | None = session.scalar(text("select version_num from alembic_version"))
    return version
