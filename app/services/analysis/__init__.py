"""Answers about results: posterior, impact, estimates, decision log; changes nothing."""
