"""Daily metrics in: upserts, bulk uploads, resumable loads; nothing is decided here."""
