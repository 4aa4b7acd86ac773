"""How well a delay curve is known."""

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.delay.chain_ladder import AgeCounts, imagined_counts
from app.bandits.numerics.normal import normal_quantile

MAX_EXPONENT = 50.0

LEAST_LEFT = 1e-150
"""Conversions that came before an age, at least: their inverse must not overflow."""


def greenwood_variance(counts: AgeCounts, toward: Floats | None = None) -> Floats:
    r"""Return the variance of log F(J), (J_max + 1,), of a chain ladder.

    .. math:: V(J) = \sum_{j > J} \frac{d_j}{R_j (R_j - d_j)}

    with d_j the conversions of age j and R_j those they were seen among, the imagined ones included.

    References
    ----------
    .. [1] M. Greenwood, The natural duration of cancer, 1926, in reversed time as in
       S. W. Lagakos, L. M. Barraj, V. De Gruttola, Biometrika 75 (1988) 515-523. doi:10.1093/biomet/75.3.515
    """
    imagined = imagined_counts(len(counts.came), toward)
    came, at_risk = (counts.came + imagined.came)[1:], (counts.at_risk + imagined.at_risk)[1:]
    least = np.maximum((imagined.at_risk - imagined.came)[1:], LEAST_LEFT)
    part = np.divide(came, at_risk, out=np.zeros_like(came), where=at_risk > 0)
    return np.append(np.cumsum((part / np.maximum(at_risk - came, least))[::-1])[::-1], 0.0)


def fraction_interval(
    fractions: Floats, variance: Floats, at_risk: Floats, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the lower and upper ends (J_max + 1,) of the fractions' intervals; both are 1 at the oldest age seen.

    On the scale log(-log F), where the ends stay in [0, 1]: F^exp(-+ z sd(log F) / |log F|). Where no conversion
    came later, the lower end is the binomial one, ((1 - level) / 2)^(1/n): with a smaller F, n conversions that
    all came by then are too unlikely. n is the fewest that any later age was seen among.

    Parameters
    ----------
    variance : (J_max + 1,), of log F
    at_risk : (J_max + 1,), conversions that each age was seen among
    """
    z = normal_quantile(level)
    rate = -np.log(np.maximum(fractions, np.finfo(float).tiny))
    reach = np.divide(z * np.sqrt(variance), rate, out=np.zeros_like(rate), where=rate > 0)
    spread = np.exp(np.minimum(reach, MAX_EXPONENT))
    fewest = np.minimum.accumulate(np.where(at_risk > 0, at_risk, np.inf)[::-1])[::-1]
    low, high = np.exp(-rate * spread), np.exp(-rate / spread)
    none_later = np.flatnonzero(fractions[:-1] == 1)
    low[none_later] = ((1 - level) / 2) ** (1 / fewest[none_later + 1])
    return low, high
