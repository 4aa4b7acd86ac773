"""Sending events in batches: what waits, what is sent next, what is rejected; connections are in `_transport`."""
