"""PostgreSQL: tables, the transaction, migrations, and an embedded server."""
