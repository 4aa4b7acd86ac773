"""Daily metrics: upserts, bulk uploads, resumable loads; no allocations."""
