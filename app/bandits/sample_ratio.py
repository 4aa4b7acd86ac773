"""Whether the traffic was split as it was meant to be, looked at after every day."""

from collections.abc import Sequence
from math import exp, inf, lgamma, log

from app.bandits.quadrature import Floats

ALARM = 0.001
"""The alarm is given below this p-value, whenever it is looked at."""

CONCENTRATION = 100.0
"""Of the Dirichlet alternative, in impressions: deviations of about a tenth of a share are expected."""


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
