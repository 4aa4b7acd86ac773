"""Databases for tests: made on a server, emptied, connected to."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import make_url

from app.storage.embedded import EmbeddedPostgres

Connection = psycopg.Connection[tuple[Any, ...]]
TABLES = [
    *("allocations", "assignment_counts", "assignments", "events", "experiment_metrics", "holdout_metrics"),
    *("metric_snapshots", "reports_by_day", "delay_evidence", "received_metrics", "received_hours"),
    *("splits", "variants", "experiment_settings", "experiment_versions", "experiments"),
    *("api_keys", "audit", "deleted_experiments", "idempotency_keys", "simulations"),
]
"""All that is stored; a table that refers to others stands before them."""
USED = "select relname, pg_relation_size(oid) from pg_class where relname = any(%s) and relkind = 'r'"
LARGE = 1_000_000
"""Bytes from which a table is sooner truncated, which takes 25 ms, than its rows are deleted."""


QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
MIGRATION_LOCK = 0x67_72_6F_75_6E_64
"""The advisory lock of migrations/env.py."""


@contextmanager
def embedded_server(**settings: str) -> Iterator[EmbeddedPostgres]:
    """Run a PostgreSQL of the tests' own, which need not outlive a power cut."""
    with tempfile.TemporaryDirectory(prefix="gh-") as folder:
        os.chmod(folder, 0o711)
        with EmbeddedPostgres(Path(folder) / "home", QUICK | settings) as server:
            _spare_the_hashing(server.url_for("postgres"))
            yield server


def _spare_the_hashing(url: str) -> None:
    """Hash the password once instead of 4,096 times: half of what a connection takes."""
    with connect(url) as connection:
        password = make_url(url).password
        connection.execute(f"set scram_iterations = 1; alter role current_user password '{password}'")


@contextmanager
def fresh_database(server_url: str, template: str | None = None) -> Iterator[str]:
    """Make a database on the server, empty or like another one that nobody is connected to; drop it in the end."""
    name = f"groundhog_test_{uuid4().hex[:12]}"
    copied = f"template {make_url(template).database}" if template else ""
    with connect(server_url) as connection:
        connection.execute(f"create database {name} {copied}")
        try:
            url = make_url(server_url).set(drivername="postgresql", database=name)
            yield url.render_as_string(hide_password=False)
        finally:
            connection.execute(f"drop database {name} with (force)")


def connect(url: str) -> Connection:
    """Connect without SQLAlchemy; each statement is its own transaction, and none is prepared."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, prepare_threshold=None)


def names(url: str) -> set[str]:
    """Return the names of all tables."""
    with connect(url) as connection:
        found = connection.execute("select tablename from pg_tables where schemaname = 'public'")
        return {name for (name,) in found}


def empty(url: str) -> None:
    """Delete all that is stored in a migrated database."""
    with connect(url) as connection:
        empty_tables(connection)


def empty_tables(connection: Connection) -> None:
    """Delete all that is stored in the migrated database of a connection."""
    sizes = dict(connection.execute(USED, [TABLES]).fetchall())
    used = [table for table in TABLES if sizes[table]]
    statements = [
        f"truncate {table} cascade" if sizes[table] >= LARGE else f"delete from {table}" for table in used
    ]
    connection.execute("; ".join(statements))
