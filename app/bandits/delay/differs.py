"""Whether the variants' conversions come with different delays, looked at as often as one likes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.delay.arrays import Floats, Integers
from app.bandits.delay.snapshots import Snapshots, grown, never_falling

TAU = 0.02
"""Standard deviation, under the alternative, of the variants' log hazard ratios in reversed time."""

ALARM = 1000.0
"""The alarm is given at this e-value."""


@dataclass(frozen=True, slots=True)
class Increases:
    """Conversions by cohort, age and variant, in any order; a missing combination is 0.

    Parameters
    ----------
    cohort : (m,), a number for each period, common to the variants
    age, variant : (m,), ages >= 0 and places 0, ..., k - 1
    counts : (m,), conversions that came at that age; reported: since the report before
    """

    cohort: Integers
    age: Integers
    variant: Integers
    counts: Floats


@dataclass(frozen=True, slots=True)
class Difference:
    """How the variants' delays compare.

    Parameters
    ----------
    e_value : the evidence that they differ; 1 without any
    excess : (k,), conversions that came later than the common delay has them (below 0: earlier), sum of O - E
    variance : (k,), of these under the hypothesis
    """

    e_value: float
    excess: Floats
    variance: Floats

    @property
    def alarm(self) -> bool:
        """Whether the delays are said to differ."""
        return self.e_value >= ALARM


def compare(increases: Increases, k: int) -> Difference:
    """Compare the delays of k variants by what came at each age of each cohort.

    Cohorts and ages are never pooled: a delay that changes from day to day, alike for all variants, is no
    difference, nor is a rate that does.
    """
    if not len(increases.age):
        return Difference(1.0, np.zeros(k), np.zeros(k))
    by_age = np.lexsort((increases.age, increases.cohort))
    cohort, age = increases.cohort[by_age], increases.age[by_age]
    new_cohort = np.diff(cohort, prepend=cohort[0] - 1) != 0
    row = np.cumsum(new_cohort | (np.diff(age, prepend=-1) != 0)) - 1
    came = np.zeros((row[-1] + 1, k))
    np.add.at(came, (row, increases.variant[by_age]), increases.counts[by_age])
    first = row[new_cohort]  # the first age of each cohort
    before = np.cumsum(came, axis=0)[first] - came[first]
    so_far = np.cumsum(came, axis=0) - np.repeat(before, np.diff(np.append(first, len(came))), axis=0)
    excess, variance = log_rank(came, so_far)
    excess, variance = excess.sum(axis=0), variance.sum(axis=0)
    return Difference(float(e_value(excess, variance)), excess, variance)


def log_rank(came: ArrayLike, so_far: ArrayLike) -> tuple[Floats, Floats]:
    r"""Return O - E of each variant and its variance, (..., k), for cohorts at an age.

    .. math:: d_{ci} - d_c \frac{C_{ci}}{C_c}, \qquad
              d_c \frac{C_{ci}}{C_c} \Bigl(1 - \frac{C_{ci}}{C_c}\Bigr) \frac{C_c - d_c}{C_c - 1}

    In reversed time the C conversions that came by an age are those at risk, of which d came at it: a variant's
    part is hypergeometric where its delay is the common one.

    Parameters
    ----------
    came : (..., k), d, conversions of the cohort that came at the age
    so_far : (..., k), C, those that came by it, these included

    References
    ----------
    .. [1] N. Mantel, Cancer Chemotherapy Reports 50 (1966) 163-170.
    .. [2] S. W. Lagakos, L. M. Barraj, V. De Gruttola, Biometrika 75 (1988) 515-523. doi:10.1093/biomet/75.3.515
    """
    d, c = np.asarray(came, np.float64), np.asarray(so_far, np.float64)
    together, at_risk = d.sum(axis=-1, keepdims=True), c.sum(axis=-1, keepdims=True)
    part = np.divide(c, at_risk, out=np.zeros_like(c), where=at_risk > 0)
    left = np.divide(at_risk - together, at_risk - 1, out=np.zeros_like(at_risk), where=at_risk > 1)
    return d - together * part, together * part * (1 - part) * left


def e_value(excess: Floats, variance: Floats) -> Floats:
    r"""Return the evidence (...) of sums of O - E (..., k), the mean over the variants of normal mixtures.

    .. math:: \frac{1}{\sqrt{1 + \tau^2 V}} \exp \frac{\tau^2 U^2}{2 (1 + \tau^2 V)}

    References
    ----------
    .. [1] H. Robbins, Ann. Math. Statist. 41 (1970) 1397-1409. doi:10.1214/aoms/1177696786
    .. [2] S. R. Howard et al., Ann. Statist. 49 (2021) 1055-1080. doi:10.1214/20-AOS1991
    """
    inflated = 1 + TAU**2 * variance
    exponent = np.minimum(TAU**2 * excess**2 / (2 * inflated), 700.0)
    found: Floats = (np.exp(exponent) / np.sqrt(inflated)).mean(axis=-1)
    return found


def reported_increases(snapshots: Snapshots, period: Integers, variant: Integers, oldest: int) -> Increases:
    """Return what came between reports of periods that all its variants were reported at.

    Parameters
    ----------
    snapshots : of cohorts numbered from 0
    period, variant : (cohorts,), of each cohort
    """
    seen = grown(snapshots, oldest)
    periods, row = np.unique(period[seen.cohort], return_inverse=True)
    common = np.ones((len(periods), oldest + 1), np.bool_)
    np.logical_and.at(common, row, seen.known)
    known = common[row]
    cumulated = never_falling(seen.conversions, known)
    place, age = np.nonzero(known)
    came = cumulated[place, age]
    came = came - np.where(np.diff(place, prepend=-1) > 0, 0.0, np.roll(came, 1))
    return Increases(periods[row[place]], age, variant[seen.cohort[place]], came)
