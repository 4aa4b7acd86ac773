"""Probability of being best, expected loss, value remaining and stop rules; no settings, no dates."""
