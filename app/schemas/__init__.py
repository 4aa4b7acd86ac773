"""Bodies of requests and responses, by noun (pydantic); no SQL, no HTTP, no decisions."""
