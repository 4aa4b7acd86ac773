"""The variant to show when the service may be away: fallbacks, circuit breaker, cached splits; no requests."""
