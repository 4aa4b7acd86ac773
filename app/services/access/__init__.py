"""Who may do what, and what was done: principals, API keys, audit log, idempotency; no experiment data."""
