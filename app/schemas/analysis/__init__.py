"""Estimates, impact and posteriors as the API shows them."""
