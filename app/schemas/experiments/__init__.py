"""Experiments, variants and settings as the API reads and shows them."""
