"""Requests, answers and the course of a call as plain data, without I/O; nothing here opens a connection."""
