"""PostgreSQL: tables, connections, transactions, shared statements and migrations; no rule of an experiment."""
