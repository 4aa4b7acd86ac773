"""Conversions that come days after their impression: how they are drawn, and what is known of them when.

Booking follows the service: an impression counts at once, a conversion on the day it comes, and a decision uses
what came strictly before its day.
"""
