"""Gives units their variants: splits, bucketing, stored assignments, feature flags; reads no daily totals."""
