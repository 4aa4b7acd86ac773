"""Prometheus series, request middleware and logs; imports nothing else of the application."""
