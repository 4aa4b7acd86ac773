"""Samples of units as the estimates take them."""

import numpy as np

from app.bandits.estimation.lift import Sample


def conversions_of(units, conversions):
    """Units of which some converted: each outcome is 1 or 0, so the squares are the outcomes."""
    converted = np.asarray(conversions, dtype=np.float64)
    return Sample(np.asarray(units, dtype=np.float64), converted, converted)
