"""The API description, and what schemathesis checks by it."""
