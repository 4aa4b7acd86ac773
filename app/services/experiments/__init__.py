"""Experiments, variants and their dated settings; knows no totals and no allocations."""
