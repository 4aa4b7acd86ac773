"""Estimates from adaptively collected data and sample-ratio tests; nothing here decides a share."""
