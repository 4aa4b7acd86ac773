"""The array types of this package."""

from app.bandits.quadrature import Booleans, Floats, Integers

__all__ = ["Booleans", "Floats", "Integers"]
