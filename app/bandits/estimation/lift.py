"""What the bandit is worth: its units against those of a hold-out that got the control throughout."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.estimation.estimate import ratio, squares_about, standard_error
from app.bandits.numerics.normal import normal_quantile
from app.bandits.posteriors.student_t import student_t_quantile


@dataclass(frozen=True, slots=True)
class Sample:
    """Sufficient statistics of independent units; leading axes are separate samples.

    Parameters
    ----------
    units : (...), exposed units
    total, squares : (...), sum over the units of their outcome (1 or 0, or their value) and of its square

    Raises
    ------
    ValueError
        Shapes differ, a value is not finite, or units or squares are negative.
    """

    units: Floats
    total: Floats
    squares: Floats

    def __post_init__(self) -> None:
        for name in ("units", "total", "squares"):
            given = np.asarray(getattr(self, name), dtype=np.float64)
            if given.shape != np.shape(self.units) or not np.isfinite(given).all():
                raise ValueError("units, total and squares must be finite and of one shape")
            object.__setattr__(self, name, given)
        if (self.units < 0).any() or (self.squares < 0).any():
            raise ValueError("units and squares cannot be negative")

    @property
    def mean(self) -> Floats:
        """(...), the mean outcome, NaN without units."""
        return ratio(self.total, self.units)

    @property
    def variance(self) -> Floats:
        """(...), the squared standard error of the mean, NaN with fewer than two units."""
        about = squares_about(self.mean, self.units, self.total, self.squares)
        return ratio(about, self.units * (self.units - 1))


@dataclass(frozen=True, slots=True)
class Lift:
    """By how much one sample's mean exceeds another's.

    Parameters
    ----------
    difference : (...), in units of the outcome, NaN where a sample is empty
    interval : (..., 2), its confidence interval, NaN where there is none
    relative : (...), the difference as a fraction of the other's mean; NaN unless both means are above 0
    relative_interval : (..., 2)
    """

    difference: Floats
    interval: Floats
    relative: Floats
    relative_interval: Floats


def conversion_lift(bandit: Sample, holdout: Sample, level: float = 0.95) -> Lift:
    r"""The difference of two conversion rates with Newcombe's interval from Wilson's limits (l, u) of each.

    .. math:: \hat p_1 - \hat p_0 - \sqrt{(\hat p_1 - l_1)^2 + (u_0 - \hat p_0)^2}, \qquad
              \hat p_1 - \hat p_0 + \sqrt{(u_1 - \hat p_1)^2 + (\hat p_0 - l_0)^2}

    It holds for no conversions as well. The relative lift r - 1, with r the ratio of the means, needs some on both
    sides; its interval is r exp(-+ z s) - 1, with s the delta method's standard error of log r (Katz).

    Raises
    ------
    ValueError
        A sample has outcomes other than 0 and 1, or the level is not strictly between 0 and 1.

    References
    ----------
    .. [1] R. G. Newcombe, Statist. Med. 17 (1998) 873-890, method 10.
    .. [2] E. B. Wilson, J. Amer. Statist. Assoc. 22 (1927) 209-212. doi:10.1080/01621459.1927.10502953
    .. [3] D. Katz, J. Baptista, S. P. Azen, M. C. Pike, Biometrics 34 (1978) 469-474. doi:10.2307/2530610
    """
    for sample in (bandit, holdout):
        if (sample.total != sample.squares).any() or (sample.total > sample.units).any():
            raise ValueError("conversions are 1 or 0 per unit")
    z = normal_quantile(level)
    difference = bandit.mean - holdout.mean
    (low, high), (other_low, other_high) = _wilson(bandit, z), _wilson(holdout, z)
    below = np.hypot(bandit.mean - low, other_high - holdout.mean)
    above = np.hypot(high - bandit.mean, holdout.mean - other_low)
    interval = np.stack((difference - below, difference + above), axis=-1)
    return Lift(difference, interval, *_relative(bandit, holdout, z))


def value_lift(bandit: Sample, holdout: Sample, level: float = 0.95) -> Lift:
    r"""The difference of two mean values with Welch's interval.

    .. math:: \bar y_1 - \bar y_0 \pm t_\nu \sqrt{v_1 + v_0}, \qquad
              \nu = \frac{(v_1 + v_0)^2}{v_1^2 / (n_1 - 1) + v_0^2 / (n_0 - 1)}

    with v the squared standard errors; the relative lift as in `conversion_lift`. Without any spread on both sides
    there is no interval.

    Raises
    ------
    ValueError
        The level is not strictly between 0 and 1.

    References
    ----------
    .. [1] B. L. Welch, Biometrika 34 (1947) 28-35. doi:10.1093/biomet/34.1-2.28
    """
    z, difference = normal_quantile(level), bandit.mean - holdout.mean
    total = bandit.variance + holdout.variance
    freedom = ratio(
        total**2, ratio(bandit.variance**2, bandit.units - 1) + ratio(holdout.variance**2, holdout.units - 1)
    )
    reach = student_t_quantile(freedom, level) * standard_error(total)
    interval = np.stack((difference - reach, difference + reach), axis=-1)
    return Lift(difference, interval, *_relative(bandit, holdout, z))


def _wilson(sample: Sample, z: float) -> tuple[Floats, Floats]:
    """Wilson's limits of a rate."""
    n, p = sample.units, sample.mean
    centre = ratio(sample.total + z**2 / 2, n + z**2)
    reach = ratio(z * np.sqrt(n * p * (1 - p) + z**2 / 4), n + z**2)
    return centre - reach, centre + reach


def _relative(bandit: Sample, holdout: Sample, z: float) -> tuple[Floats, Floats]:
    """The relative lift and its interval, of the ratio's logarithm."""
    means = [np.where(sample.mean > 0, sample.mean, np.nan) for sample in (bandit, holdout)]
    r = means[0] / means[1]
    s = standard_error(bandit.variance / means[0] ** 2 + holdout.variance / means[1] ** 2)
    return r - 1, np.stack((r * np.exp(-z * s), r * np.exp(z * s)), axis=-1) - 1
