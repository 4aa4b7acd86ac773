"""Answers every implementation must give, written by the modules beside them, never by code under test."""
