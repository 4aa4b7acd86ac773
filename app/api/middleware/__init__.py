"""Middleware around every request: authentication, body size, CORS; no routes."""
