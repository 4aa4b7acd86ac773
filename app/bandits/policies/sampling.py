"""Single decisions drawn from shares."""

import numpy as np

from app.bandits.arrays import Floats, Integers


def sample_arms(shares: Floats, rng: np.random.Generator, units: int | None = None) -> Integers:
    """An arm per bandit, (...), or for `units` of each, (..., units), drawn with the probabilities `shares`.

    The inverse of the cumulated shares; an arm with share 0 is never drawn.

    Parameters
    ----------
    shares : (..., k), >= 0, each row's sum 1 up to rounding
    """
    cumulated = np.cumsum(shares, axis=-1)
    cumulated /= cumulated[..., -1:]
    uniform = rng.random((*shares.shape[:-1], 1 if units is None else units, 1))
    arms: Integers = (uniform >= cumulated[..., None, :-1]).sum(axis=-1)
    return arms[..., 0] if units is None else arms


def equal_shares(chosen: Floats) -> Floats:
    """Equal shares over the arms that are marked, (..., k) of 0 and 1 with at least one 1 per row."""
    shares: Floats = chosen / chosen.sum(axis=-1, keepdims=True)
    return shares
