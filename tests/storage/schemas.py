"""What a schema allows those who write into it, and whether another one still allows it."""

from dataclasses import dataclass

import psycopg

OURS = "relnamespace = 'public'::regnamespace and relname not in ('alembic_version', 'groundhog_version')"
TABLES = f"select relname from pg_class where relkind = 'r' and {OURS}"
COLUMNS = f"""
select relname, attname, format_type(atttypid, atttypmod), not attnotnull, atthasdef or attidentity <> ''
from pg_attribute join pg_class on pg_class.oid = attrelid
where relkind = 'r' and {OURS} and attnum > 0 and not attisdropped
order by relname, attnum
"""
KEYS = f"""
select relname, pg_get_indexdef(indexrelid)
from pg_index join pg_class on pg_class.oid = indrelid where indisunique and {OURS}
"""
RULES = f"""
select relname, conname, pg_get_constraintdef(pg_constraint.oid), array(
    select attname::text from pg_attribute where attrelid = conrelid and attnum = any (conkey)
)
from pg_constraint join pg_class on pg_class.oid = conrelid where contype in ('c', 'f') and {OURS}
"""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of a database, as far as a statement can notice them."""

    tables: set[str]
    columns: dict[tuple[str, str], tuple[str, bool, bool]]
    """Type, whether it may be NULL, and whether it has a default, by table and column."""
    keys: set[tuple[str, str]]
    rules: dict[tuple[str, str], tuple[str, list[str]]]
    """Definition and columns of checks and foreign keys, by table and name."""

    @classmethod
    def of(cls, connection: psycopg.Connection) -> "Schema":
        return cls(
            {row[0] for row in connection.execute(TABLES)},
            {(row[0], row[1]): row[2:] for row in connection.execute(COLUMNS)},
            {row[:2] for row in connection.execute(KEYS)},
            {(row[0], row[1]): row[2:] for row in connection.execute(RULES)},
        )


def broken(older: Schema, newer: Schema) -> list[str]:
    """Return what a version that knows only the older schema can no longer do on the newer one."""
    return [*_gone(older, newer), *_demanded(older, newer)]


def _gone(older, newer):
    for name, (kind, nullable, _) in older.columns.items():
        if name not in newer.columns:
            yield f"column {'.'.join(name)} is gone"
        elif newer.columns[name][0] != kind:
            yield f"column {'.'.join(name)} has another type"
        elif nullable and not newer.columns[name][1]:
            yield f"column {'.'.join(name)} may no longer be NULL"
    for table, key in older.keys - newer.keys:
        yield f"the unique key of {table} is gone that ON CONFLICT names: {key}"


def _demanded(older, newer):
    for (table, column), (_, nullable, default) in newer.columns.items():
        if table in older.tables and (table, column) not in older.columns and not (nullable or default):
            yield f"column {table}.{column} is new, and neither NULL nor a default"
    for table, key in newer.keys - older.keys:
        if table in older.tables:
            yield f"the unique key of {table} is new: {key}"
    for (table, name), (definition, columns) in newer.rules.items():
        if older.rules.get((table, name), (None,))[0] == definition:
            continue
        if columns and all((table, column) in older.columns for column in columns):
            yield f"the rule {name} on columns of {table} that were there before is new"
