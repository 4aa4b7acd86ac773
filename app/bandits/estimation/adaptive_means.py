"""The arms' means from data whose shares followed the data: naive, stratified, and adaptively weighted.

Where better arms get more traffic, an arm that happened to look bad is left with the little that made it look so,
and its plain mean stays too low. The other estimates undo that with the propensities of the batches.
"""

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.estimation.adaptive_batches import AdaptiveBatches
from app.bandits.estimation.estimate import Estimate, ratio, squares_about, standard_error


def naive_means(batches: AdaptiveBatches) -> Estimate:
    r"""The plain means of the arms' units, as if nobody had looked; biased, shown beside the others.

    .. math:: \bar y_w = \frac{S_w}{n_w}, \qquad se^2 = \frac{SS_w - S_w^2 / n_w}{n_w (n_w - 1)}

    Returns
    -------
    Estimate of (..., k); NaN for an arm without units.
    """
    n, s, ss = (values.sum(axis=-2) for values in (batches.units, batches.sums, batches.squares))
    mean = ratio(s, n)
    variance = ratio(squares_about(mean, n, s, ss), n * (n - 1))
    return Estimate(mean, standard_error(variance))


def stratified_means(batches: AdaptiveBatches) -> Estimate:
    r"""The means of the units weighted by 1 / propensity, normed by the weights (Hajek).

    .. math:: \hat\mu_w = \frac{\sum_j S_{jw} / p_{jw}}{\sum_j n_{jw} / p_{jw}}, \qquad
              se^2 = \frac{\sum_j (SS_{jw} - 2 \hat\mu_w S_{jw} + \hat\mu_w^2 n_{jw}) / p_{jw}^2}
                          {(\sum_j n_{jw} / p_{jw})^2}

    Every batch counts as much as it had units, whatever part of them the arm got: all arms that were always
    supported are averaged over the same days. A batch in which the arm could not be drawn says nothing of it.

    Returns
    -------
    Estimate of (..., k); NaN for an arm without units. Consistent; its interval is asymptotically right where
    propensities settle and stay away from 0.

    References
    ----------
    .. [1] J. Hajek, in Godambe and Sprott (eds.), Foundations of Statistical Inference, 1971, p. 236.
    .. [2] J. K. Lunceford, M. Davidian, Statist. Med. 23 (2004) 2937-2960. doi:10.1002/sim.1903
    """
    weight = _inverse(batches)
    total = (batches.units * weight).sum(axis=-2)
    mean = ratio((batches.sums * weight).sum(axis=-2), total)
    spread = squares_about(mean[..., None, :], batches.units, batches.sums, batches.squares) * weight**2
    return Estimate(mean, standard_error(ratio(spread.sum(axis=-2), total**2)))


def adaptive_means(batches: AdaptiveBatches) -> Estimate:
    r"""Augmented inverse-propensity means with variance-stabilising weights.

    A unit i of batch j has for arm w the score

    .. math:: \Gamma_i(w) = m_j(w) + \frac{1\{W_i = w\}}{p_{jw}} (Y_i - m_j(w))

    whose expectation is the arm's mean whatever m_j, because m_j is predictable: it is the arm's mean in earlier
    batches (with one unit at the mean of all arms; 0 in the first batch). With weights h_j = sqrt(p_jw), the
    article's constant allocation rate, every unit adds about as much to the variance:

    .. math:: \hat Q_w = \frac{\sum_i h_{j(i)} \Gamma_i(w)}{\sum_i h_{j(i)}}, \qquad
              se^2 = \frac{\sum_i h_{j(i)}^2 (\Gamma_i(w) - \hat Q_w)^2}{(\sum_i h_{j(i)})^2}

    Within a batch m and p are constant, so that the sums over units follow from n, S and SS exactly.

    Returns
    -------
    Estimate of (..., k). A batch in which the arm could not be drawn (p = 0) has weight 0: the estimate is of the
    mean over the other batches, and says nothing of what the arm would have done in that one. NaN for an arm
    that was never supported. Where means drift, it is their average with the weights h.

    References
    ----------
    .. [1] V. Hadad, D. A. Hirshberg, R. Zhan, S. Wager, S. Athey, PNAS 118 (2021) e2014602118, eq. (5), (11),
       (15). doi:10.1073/pnas.2014602118
    """
    m = _predicted(batches)
    excess, spread = _residuals(batches, m)
    return _weighted(batches.sizes, np.sqrt(batches.propensities), m, excess, spread)


def adaptive_differences(batches: AdaptiveBatches, control: int) -> Estimate:
    r"""The arms' means minus the control's, from the differences of the scores of `adaptive_means`.

    .. math:: \Delta_i(w) = \Gamma_i(w) - \Gamma_i(c), \qquad h_j = (1 / p_{jw} + 1 / p_{jc})^{-1/2}

    averaged as there. Both arms have the same weight in a batch, so that a good day favours neither: where means
    drift, it is the h-weighted average of the batches' differences, not the difference of the two means of
    `adaptive_means`, whose weights differ by arm.

    Parameters
    ----------
    control : index of the arm that others are compared with

    Returns
    -------
    Estimate of (..., k), over the batches in which both arms could be drawn; NaN where there are none, and for
    the control itself.

    References
    ----------
    .. [1] As of `adaptive_means`. A departure from the article, whose arms keep weights of their own.
    """
    m = _predicted(batches)
    excess, spread = _residuals(batches, m)
    p, here = batches.propensities, slice(control, control + 1)
    rival = p[..., here]
    both = p + rival
    weight = np.sqrt(np.divide(p * rival, both, out=np.zeros_like(p), where=both > 0))
    weight[..., control] = 0
    # no unit has two arms: the products of the two residuals are 0
    return _weighted(
        batches.sizes, weight, m - m[..., here], excess - excess[..., here], spread + spread[..., here]
    )


def _predicted(batches: AdaptiveBatches) -> Floats:
    """The m (..., j, k): means of the arms in earlier batches, with one unit at the mean of all arms."""
    n, s = (np.cumsum(values, axis=-2) - values for values in (batches.units, batches.sums))
    seen = n.sum(axis=-1, keepdims=True)
    pooled = np.divide(s.sum(axis=-1, keepdims=True), seen, out=np.zeros_like(seen), where=seen > 0)
    predicted: Floats = (s + pooled) / (n + 1)
    return predicted


def _inverse(batches: AdaptiveBatches) -> Floats:
    """1 / p, and 0 where the arm could not be drawn."""
    p = batches.propensities
    return np.divide(1, p, out=np.zeros_like(p), where=batches.supported)


def _residuals(batches: AdaptiveBatches, m: Floats) -> tuple[Floats, Floats]:
    """The sums over units of (Y - m) / p and of its square, (..., j, k)."""
    n, s, weight = batches.units, batches.sums, _inverse(batches)
    return (s - m * n) * weight, squares_about(m, n, s, batches.squares) * weight**2


def _weighted(sizes: Floats, h: Floats, m: Floats, excess: Floats, spread: Floats) -> Estimate:
    """The weighted mean of the scores m + residual, from the sums of residuals and of their squares."""
    total = (sizes * h).sum(axis=-2)
    mean = ratio((h * (sizes * m + excess)).sum(axis=-2), total)
    off = m - mean[..., None, :]
    squares = sizes * off**2 + 2 * off * excess + spread
    return Estimate(mean, standard_error(ratio((h**2 * squares).sum(axis=-2), total**2)))
