"""Whether units were split as they were meant to be, looked at any number of times."""

from collections.abc import Sequence
from math import exp, inf, lgamma, log

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats
from app.bandits.estimation.adaptive_batches import ROUNDING

SRM_ALPHA = 0.001
"""The alarm is given below this p-value, whenever it is looked at."""

CONCENTRATION = 100.0
"""Of the Dirichlet alternative, in impressions: deviations of about a tenth of a share are expected."""

TILTS = tuple(np.geomspace(1e-3, 2, 23).tolist())
"""Log odds by which an arm may get too many or too few units: each about 1.4 times the one before, so that the
nearest to any true one is at most a fifth off and finds 96 % of what could be found."""


def sample_ratio_p(counts: Sequence[Floats], shares: Sequence[Floats]) -> float:
    r"""The anytime-valid p-value of the hypothesis that every day was split by its shares.

    .. math:: E_t = \prod_{s \le t} \frac{\mathrm{DirMult}(x_s; \alpha_s)}{\mathrm{Mult}(x_s; \theta_s)},
              \qquad p_t = \min_{s \le t} \min(1, 1 / E_s)

    Under the hypothesis E is a martingale with mean 1 (the alternative's alpha_s depends on earlier days only), so
    that P(p ever falls below a) <= a however often it is looked at (Ville). With N, X and Y what was counted in
    all, of the arm, and expected of the arm on earlier days, alpha_s = (c + N) theta_s (X + c theta_s) / (Y + c
    theta_s): under constant shares X + c theta_s, the posterior of [1]; under moving ones the ratio is learnt.

    Parameters
    ----------
    counts : for each day (k,), impressions
    shares : for each day (k,), what was served, summing to 1; an arm that was served nothing must have none

    References
    ----------
    .. [1] M. Lindon, A. Malek, Anytime-valid inference for multinomial count data, 2020. arXiv:2011.03567
    """
    log_e, least = 0.0, 1.0
    seen, expected = [0.0] * len(counts[0]) if counts else [], [0.0] * len(counts[0]) if counts else []
    for day, theta in zip(counts, shares, strict=True):
        x, n = day.tolist(), float(day.sum())
        log_e += _log_ratio(x, theta.tolist(), seen, expected)
        least = min(least, exp(min(0.0, -log_e)))
        seen = [total + count for total, count in zip(seen, x, strict=True)]
        expected = [total + n * share for total, share in zip(expected, theta.tolist(), strict=True)]
    return least


def _log_ratio(x: list[float], theta: list[float], seen: list[float], expected: list[float]) -> float:
    """Log(DirMult / Mult) of one day; infinite where an arm has impressions though it was served nothing."""
    if any(count > 0 and share == 0 for count, share in zip(x, theta, strict=True)):
        return inf
    arms = [arm for arm, share in enumerate(theta) if share > 0]
    prior = {arm: CONCENTRATION * theta[arm] for arm in arms}
    ratio = {arm: (seen[arm] + prior[arm]) / (expected[arm] + prior[arm]) for arm in arms}
    alpha = {arm: (CONCENTRATION + sum(seen)) * theta[arm] * ratio[arm] for arm in arms}
    total, n = sum(alpha.values()), sum(x)
    mixed = lgamma(total) - lgamma(total + n)
    mixed += sum(lgamma(alpha[arm] + x[arm]) - lgamma(alpha[arm]) for arm in arms)
    return mixed - sum(x[arm] * log(theta[arm]) for arm in arms)


def assignment_ratio_p(assigned: ArrayLike, propensities: ArrayLike) -> Floats:
    r"""The anytime-valid p-value of the hypothesis that units were assigned with their propensities.

    .. math:: E = \frac{1}{2 m k} \sum_{a = 1}^{k} \sum_{\delta = \pm \delta_1}^{\pm \delta_m} \prod_s
              \frac{e^{\delta x_{sa}}}{(1 - p_{sa} + e^\delta p_{sa})^{n_s}}, \qquad p = \min(1, 1 / E)

    Each term is the likelihood ratio of a world in which the odds of arm a are e^delta times what they should be,
    under every split alike: the evidence of many splits adds up. Under the hypothesis a new unit multiplies each
    term by a factor with mean 1 that depends on its own propensities alone. So E is a martingale with mean 1 in
    whatever order units come, also while some are still assigned under an older split, and P(p ever falls below
    a) <= a (Ville). The test of Lindon and Malek [1] mixes over Dirichlet alternatives instead; what it makes of a
    split depends on the splits before, which is right for days, as these end.

    Count the first assignment of each unit that was drawn at random: a unit that returns is no new draw, and
    overrides, merged and hold-out units are none at all.

    Parameters
    ----------
    assigned : (..., s, k), units by the split they were assigned under and by arm; leading axes are separate
    propensities : (..., s, k), of the splits, summing to 1 per split

    Returns
    -------
    (...), in [0, 1]; 0 where an arm has units under a split that never draws it, 1 without splits. It may rise
    again with units that fit.

    Raises
    ------
    ValueError
        Shapes differ, a count is negative or not finite, or propensities are no probabilities that sum to 1.

    References
    ----------
    .. [1] M. Lindon, A. Malek, Anytime-valid inference for multinomial count data, 2020. arXiv:2011.03567
    """
    x, p = _checked(assigned, propensities)
    n, tilts = x.sum(axis=-1), np.concatenate((TILTS, np.negative(TILTS)))
    logs = np.concatenate([_log_ratios(x[..., a], n, p[..., a], tilts) for a in range(x.shape[-1])], axis=-1)
    most = logs.max(axis=-1)
    log_e = most + np.log(np.exp(logs - most[..., None]).mean(axis=-1))
    impossible = ((x > 0) & (p == 0)).any(axis=(-2, -1))
    return np.where(impossible, 0.0, np.exp(-np.maximum(log_e, 0)))


def _log_ratios(x: Floats, n: Floats, p: Floats, tilts: Floats) -> Floats:
    """The log likelihood ratios (..., m) of worlds in which an arm is tilted, from its units x of n, (..., s)."""
    means = np.log1p(p[..., None] * np.expm1(tilts))
    ratios: Floats = x.sum(axis=-1)[..., None] * tilts - np.einsum("...s,...sm->...m", n, means)
    return ratios


def _checked(assigned: ArrayLike, propensities: ArrayLike) -> tuple[Floats, Floats]:
    x, p = (np.asarray(given, dtype=np.float64) for given in (assigned, propensities))
    if x.shape != p.shape or x.ndim < 2 or x.shape[-1] == 0:
        raise ValueError("assigned and propensities must have one shape (..., s, k)")
    if not np.isfinite(x).all() or (x < 0).any():
        raise ValueError("assigned must be finite and >= 0")
    if not (p >= 0).all() or (np.abs(p.sum(axis=-1) - 1) > ROUNDING).any():
        raise ValueError("the propensities of a split must be >= 0 and sum to 1")
    return x, p
