"""Reads, computes, records, caches and serves allocations; writes no totals and no settings."""
