"""What requests cost over HTTP, beside a request that does nothing; the service runs in its own process."""
