"""The quantile of the standard normal distribution: the one that every normal interval uses."""

from statistics import NormalDist


def normal_quantile(level: float) -> float:
    """The z with P(|Z| < z) = level for a standard normal Z: 1.959964 for 0.95.

    Raises
    ------
    ValueError
        The level is not strictly between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError("level must lie strictly between 0 and 1")
    return NormalDist().inv_cdf((1 + level) / 2)
