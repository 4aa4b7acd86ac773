"""Run the migrations: one process at a time, and never waiting long for a lock the service holds."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, make_url, pool, text

from app.storage.tables import Base

ADVISORY_LOCK = 0x67_72_6F_75_6E_64
"""'ground': the lock that makes a second migration wait until the first is done."""


def run(connection: Connection) -> None:
    """Migrate over ``connection`` while holding the advisory lock."""
    connection.execute(text("set statement_timeout = '10min'"))
    connection.execute(text("select pg_advisory_lock(:key)").bindparams(key=ADVISORY_LOCK))
    connection.execute(text("set lock_timeout = '10s'"))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("select pg_advisory_unlock(:key)").bindparams(key=ADVISORY_LOCK))
        connection.commit()


def main() -> None:
    """Use the connection address of the caller, else ``DATABASE_URL``."""
    address = context.config.get_main_option("sqlalchemy.url") or os.environ["DATABASE_URL"]
    url = make_url(address).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        run(connection)
    engine.dispose()


main()
