"""Access: principals, API keys, the audit log and Idempotency-Keys; no experiment data."""
