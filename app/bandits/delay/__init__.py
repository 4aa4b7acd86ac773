"""Delayed conversions: the part that has arrived by each age, and totals corrected for it; no dates, no reports.

A cohort is the impressions of one variant in one period (a day, or an hour); the age of a conversion is the number
of whole periods from its cohort's to its own. Ages are plain whole numbers here, whatever a period is.
"""
