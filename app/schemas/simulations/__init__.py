"""Simulations and plans on the wire."""
