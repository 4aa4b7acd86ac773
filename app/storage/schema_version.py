"""The version of a database's schema, and whether the schema has what the requests of this version need.

Groundhog has a version table of its own. Earlier versions used Alembic's default, ``alembic_version``, which in a
shared database belongs to another application: only ``SHARED_REVISIONS`` are read from it. Where it was
Groundhog's it stays, at the last of them, for processes of an earlier version that run beside this one.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.storage.tables import Base

VERSION_TABLE = "groundhog_version"
SHARED_REVISIONS = (
    *("b3f256e1ac64", "5d0c7a91e3b8", "c4a1e09f6d27"),
    *("7e52c0b49a1f", "1f8d3b6ac2e5", "a60c5e2d9b17"),
)
"""The revisions that were stored in ``alembic_version``, in their order; later ones are numbers."""

TABLES = [table.name for table in Base.metadata.sorted_tables]
COLUMNS = [(table.name, column.name) for table in Base.metadata.sorted_tables for column in table.columns]
TEXTS = ARRAY(TEXT)

HAS_VERSION_TABLE = text("select to_regclass('groundhog_version') is not null")
VERSION = text("select version_num from groundhog_version")
CAN_READ_SHARED = text(
    "select coalesce(has_table_privilege(to_regclass('alembic_version'), 'select'), false)"
)
SHARED_VERSIONS = text("select version_num from alembic_version")
MISSING = text("""
    select distinct case
        when to_regclass(needed.of_table) is null then 'table ' || needed.of_table
        else 'column ' || needed.of_table || '.' || needed.name
    end as missing
    from unnest(:tables, :names) as needed (of_table, name)
    where not exists (
        select from pg_attribute
        where attrelid = to_regclass(needed.of_table) and attname = needed.name and not attisdropped
    )
    order by missing
""").bindparams(
    bindparam("tables", [table for table, _ in COLUMNS], TEXTS),
    bindparam("names", [column for _, column in COLUMNS], TEXTS),
)
NAMES_IN_USE = text("""
    select relname from pg_class
    where relnamespace = cast(current_schema() as regnamespace) and relname = any(:names) order by relname
""").bindparams(bindparam("names", TABLES, TEXTS))
ADOPT = (
    text(
        "create table groundhog_version"
        " (version_num varchar(32) not null, constraint groundhog_version_pkc primary key (version_num))"
    ),
    text(
        "insert into groundhog_version select version_num from alembic_version where version_num = any(:revisions)"
    ).bindparams(bindparam("revisions", list(SHARED_REVISIONS), TEXTS)),
)
LEAVE_BEHIND = text(
    "update alembic_version set version_num = :last where version_num = any(:earlier)"
).bindparams(
    bindparam("last", SHARED_REVISIONS[-1]), bindparam("earlier", list(SHARED_REVISIONS[:-1]), TEXTS)
)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """What a database has of the schema.

    Parameters
    ----------
    version : of the last migration; None where there was none
    missing : tables, and columns of existing tables, that the requests of this version need
    """

    version: str | None
    missing: tuple[str, ...]


def read_state(connection: Connection | Session) -> SchemaState:
    """Return what the database has of the schema."""
    return SchemaState(read_version(connection), tuple(connection.execute(MISSING).scalars()))


def read_version(connection: Connection | Session) -> str | None:
    """Return the version of the last migration of Groundhog; what other applications store is not looked at."""
    if connection.execute(HAS_VERSION_TABLE).scalar_one():
        version: str | None = connection.execute(VERSION).scalar()
        return version
    return next(iter(_shared_versions(connection)), None)


def adopt(connection: Connection) -> None:
    """Copy the version that an earlier Groundhog stored in Alembic's default table into a table of our own.

    Raises
    ------
    Conflict: another application's tables have the names of Groundhog's; nothing was created
    """
    if read_version(connection) is None:
        _reject_foreign_tables(connection)
    elif not connection.execute(HAS_VERSION_TABLE).scalar_one():
        for statement in ADOPT:
            connection.execute(statement)


def leave_behind(connection: Connection) -> None:
    """Let an earlier version, which reads Alembic's default table, find that nothing is left to migrate."""
    if read_version(connection) not in SHARED_REVISIONS and _shared_versions(connection):
        connection.execute(LEAVE_BEHIND)


def _shared_versions(connection: Connection | Session) -> list[str]:
    """Return the revisions of Groundhog in Alembic's default table."""
    if not connection.execute(CAN_READ_SHARED).scalar_one():
        return []
    found = connection.execute(SHARED_VERSIONS).scalars()
    return [version for version in found if version in SHARED_REVISIONS]


def _reject_foreign_tables(connection: Connection) -> None:
    names = list(connection.execute(NAMES_IN_USE).scalars())
    if names:
        raise Conflict(
            f"the database has tables of another application under names that Groundhog needs: {', '.join(names)}."
            " Nothing was created. Use a database, or a schema (search_path), of its own"
        )
