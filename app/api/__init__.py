"""HTTP: routes, middleware, permissions, idempotency, pagination and problem+json; no SQL, no decisions."""
