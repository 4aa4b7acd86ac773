"""Groundhog: a self-hosted bandit allocation service."""

__version__ = "0.1.0"
