"""Bring a database's schema to the newest migration, and say what keeps requests from being served."""

import time
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import errors as pg
from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.storage.schema_version import VERSION_TABLE, SchemaState, read_state

ROOT = Path(__file__).resolve().parents[2]
MAX_ATTEMPTS = 10
PAUSE_SECONDS = 0.5
LOCK_CONFLICTS = (pg.DeadlockDetected, pg.LockNotAvailable)
"""What a migration meets among services that write; it has changed nothing then."""
FOREIGN_OBJECTS = (pg.DuplicateTable, pg.DuplicateColumn, pg.DuplicateObject)
MAX_NAMED = 10
"""Missing tables and columns that a sentence names."""


def config(url: str | None = None) -> Config:
    """Return the Alembic configuration of this tree, for the database at ``url``."""
    settings = Config(ROOT / "alembic.ini")
    if url is not None:
        settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Upgrade the schema at ``url``; a second process doing the same waits, then finds nothing to do.

    A schema that is current is not touched, nor one that a newer version of the service has made: migrations only
    add. Where services write meanwhile, PostgreSQL may abort the migration in their favour; it is started again.

    Raises
    ------
    Conflict: the database belongs to another application, or what was once migrated is no longer there
    """
    state = _read_state_at(url)
    if _is_known_or_absent(state.version) and not (revision == "head" and state.version == head()):
        _upgrade_among_writers(url, revision)
        state = _read_state_at(url)
    error = schema_error(state) if revision == "head" else None
    if error is not None:
        raise Conflict(error)


def schema_error_at(url: str) -> str | None:
    """Return why the schema at ``url`` does not serve the requests of this version; None where it does."""
    return schema_error(_read_state_at(url))


def schema_error(state: SchemaState) -> str | None:
    """Return why requests cannot be served, with the remedy; None for the newest schema or a newer version's."""
    if state.version is None:
        return "the database has no schema of Groundhog: run `groundhog migrate`"
    if not _is_known_or_absent(state.version) and not is_newer(state.version):
        return (
            f"{VERSION_TABLE} has the revision {state.version!r}, which is neither known to this version nor"
            " a newer version's: it was changed by hand, or belongs to an unreleased version"
        )
    if state.version != head() and not is_newer(state.version):
        return f"the schema is at {state.version}, this version needs {head()}: run `groundhog migrate`"
    if state.missing:
        more = len(state.missing) - MAX_NAMED
        named = ", ".join(state.missing[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"{VERSION_TABLE} says {state.version}, but this is missing: {named}. Restore it from a backup"
    return None


def is_newer(version: str) -> bool:
    """Return whether a version was made by a newer Groundhog: migrations are numbered, and it is beyond ours."""
    return version.isdecimal() and int(version) > len(_known())


def _is_known_or_absent(version: str | None) -> bool:
    return version is None or version in _known()


def _read_state_at(url: str) -> SchemaState:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"prepare_threshold": None},  # a pooler may be there
    )
    with Session(engine) as session:
        return read_state(session)


def _upgrade_among_writers(url: str, revision: str) -> None:
    for attempts_left in reversed(range(MAX_ATTEMPTS)):
        try:
            command.upgrade(config(url), revision)
        except OperationalError as error:
            if attempts_left == 0 or not isinstance(error.orig, LOCK_CONFLICTS):
                raise
            time.sleep(PAUSE_SECONDS)
        except ProgrammingError as error:
            raise _to_conflict(error) from error
        else:
            return


def _to_conflict(error: ProgrammingError) -> Exception:
    """Return what a person can do about a migration that PostgreSQL rejects; it has changed nothing."""
    said = str(error.orig).strip().split("\n", 1)[0]
    if isinstance(error.orig, FOREIGN_OBJECTS):
        return Conflict(
            f"the migration needs a name that another application uses ({said}); nothing was changed."
            " Use a database, or a schema (search_path), of its own"
        )
    if isinstance(error.orig, pg.InsufficientPrivilege):
        return Conflict(f"the role of DATABASE_URL may not change the schema ({said}); nothing was changed")
    return error


@cache
def head() -> str:
    """Return the newest migration's id."""
    revision = _scripts().get_current_head()
    assert revision is not None
    return revision


@cache
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in _scripts().walk_revisions())


@cache
def _scripts() -> ScriptDirectory:
    """Return this version's migrations; reading them takes longer than a question to the database."""
    return ScriptDirectory.from_config(config())
