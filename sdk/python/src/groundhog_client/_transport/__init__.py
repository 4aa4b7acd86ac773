"""Connections to the service, synchronous and asynchronous; the only package that uses httpx2."""
