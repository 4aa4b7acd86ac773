"""Floors and fixed shares: the shares that arms get whatever the policy decides."""

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Booleans, Floats

SLACK = 1e-12
"""Rounding allowed where floors and fixed shares are meant to add up to exactly 1."""


def with_floors(shares: ArrayLike, floors: ArrayLike = 0.0, fixed: ArrayLike | None = None) -> Floats:
    r"""The shares with floors and fixed shares: c_i for a fixed arm, at least f_i for the others.

    .. math:: s_i = f_i + \Bigl(1 - \sum c - \sum f\Bigr) w_i

    with w the policy's shares over the arms that are not fixed, rescaled to sum to 1 (equal where they are all
    0). Floors hold exactly, and equal floors never reverse an order.

    Parameters
    ----------
    shares : (..., k), the policy's shares >= 0; those of fixed arms are ignored
    floors : scalar or (k,), f in [0, 1]; those of fixed arms are ignored
    fixed : (k,), c in [0, 1], NaN for an arm that is not fixed; None when none is

    Raises
    ------
    ValueError
        A floor or fixed share lies outside [0, 1], they exceed 1, or all arms are fixed and do not sum to 1.
    """
    policy = np.asarray(shares, dtype=np.float64)
    k = policy.shape[-1]
    chosen = np.full(k, np.nan) if fixed is None else np.broadcast_to(np.asarray(fixed, dtype=np.float64), k)
    free = np.isnan(chosen)
    lowest = np.where(free, np.broadcast_to(np.asarray(floors, dtype=np.float64), k), chosen)
    rest = _rest(lowest, free)
    return lowest + rest * _over(policy, free)


def _rest(lowest: Floats, free: Booleans) -> float:
    """The traffic that no floor or fixed share takes."""
    if not ((lowest >= 0) & (lowest <= 1)).all():
        raise ValueError("floors and fixed shares must lie between 0 and 1")
    rest = 1 - float(lowest.sum())
    if rest < -SLACK:
        raise ValueError(f"floors and fixed shares sum to {1 - rest:.6g}, more than 1")
    if not free.any() and rest > SLACK:
        raise ValueError(f"every arm is fixed but their shares sum to {1 - rest:.6g}, not 1")
    return max(rest, 0.0)


def _over(policy: Floats, free: Booleans) -> Floats:
    """The policy's shares over the free arms alone; equal where the policy gives them nothing."""
    if not np.isfinite(policy).all() or (policy < 0).any():
        raise ValueError("shares must be finite and >= 0")
    among = np.where(free, policy, 0.0)
    total = among.sum(axis=-1, keepdims=True)
    equal = free / max(int(free.sum()), 1)
    return np.where(total > 0, among / np.where(total > 0, total, 1), equal)
