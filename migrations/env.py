"""Run the migrations: one process at a time, and never waiting long for a lock the service holds."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, make_url, pool, text

from app.storage import schema_version
from app.storage.tables import Base

ADVISORY_LOCK = 0x67_72_6F_75_6E_64
"""'ground': the lock that makes a second migration wait until the first is done."""


def run(connection: Connection) -> None:
    """Migrate over ``connection`` in one transaction that holds the advisory lock: all of it, or nothing.

    The lock is the transaction's: behind a pooler in transaction mode a session's would stay with another client.
    """
    with connection.begin():
        connection.execute(text("set local statement_timeout = '10min'"))
        connection.execute(text("select pg_advisory_xact_lock(:key)").bindparams(key=ADVISORY_LOCK))
        connection.execute(text("set local lock_timeout = '2s'"))
        schema_version.adopt(connection)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_server_default=True,
            version_table=schema_version.VERSION_TABLE,
            include_name=_is_ours,
        )
        context.run_migrations()
        schema_version.leave_behind(connection)


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """Leave the table out of comparisons that earlier versions, or other applications, keep their version in."""
    return kind != "table" or name != "alembic_version"


def main() -> None:
    """Use the connection address of the caller, else ``DATABASE_URL``."""
    address = context.config.get_main_option("sqlalchemy.url") or os.environ["DATABASE_URL"]
    url = make_url(address).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"prepare_threshold": None})
    with engine.connect() as connection:
        run(connection)
    engine.dispose()


main()
