"""Posterior densities and their moments, one family per file; no comparison between arms."""
