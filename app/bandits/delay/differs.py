"""Whether the variants' conversions come with different delays, looked at any number of times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats, Integers
from app.bandits.delay.snapshots import LinkedReports

TAU = 0.1
"""Standard deviation, under the alternative, of the variants' log hazard ratios in reversed time.

A smaller one waits for more conversions: where the best of three variants converts after 6 days and the others
after 3 (geometric, 10,000 impressions a day, the bandit misled meanwhile), half of the campaigns are found by day
12 with 0.1 and by day 23 with 0.02.
"""

ALARM = 1000.0
"""The alarm is given at this e-value."""


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


def compare(came: Floats, so_far: Floats) -> Difference:
    """Compare the delays of k variants by what came at each age of each cohort.

    Cohorts and ages are never pooled: a delay that changes from day to day, alike for all variants, is no
    difference, nor is a rate that does.

    Parameters
    ----------
    came, so_far : (..., k), conversions that came at an age of a cohort, and those that came by it, these included
    """
    rows = tuple(range(np.ndim(came) - 1))
    return difference_of(*(found.sum(axis=rows) for found in log_rank(came, so_far)))


def difference_of(excess: Floats, variance: Floats) -> Difference:
    """Return how delays compare by what came late of each variant in all, and its variance, (k,)."""
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
    part = c / np.where(at_risk > 0, at_risk, 1.0)
    left = np.divide(at_risk - together, at_risk - 1, out=np.zeros_like(at_risk), where=at_risk > 1)
    expected = together * part
    return d - expected, expected * (1 - part) * left


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


def by_age(
    cohort: Integers, age: Integers, variant: Integers, counts: Floats, k: int
) -> tuple[Floats, Floats]:
    """Return what came, and had come by then, (p, k), at the p ages of cohorts at which something came.

    Parameters
    ----------
    cohort, age, variant : (m,), in any order; variants are numbered 0, ..., k - 1, cohorts alike for all of them
    counts : (m,), conversions of that cohort and variant that came at that age
    """
    order = np.lexsort((age, cohort))
    steps = (np.diff(cohort[order], prepend=-1) != 0, np.diff(age[order], prepend=-1) != 0)
    row = np.cumsum(steps[0] | steps[1]) - 1
    came = np.zeros((row[-1] + 1 if len(row) else 0, k))
    np.add.at(came, (row, variant[order]), counts[order])
    first = row[steps[0]]  # where each cohort begins
    so_far = np.cumsum(came, axis=0)
    before = (so_far - came)[first]
    return came, so_far - np.repeat(before, np.diff(np.append(first, len(came))), axis=0)


def by_report(seen: LinkedReports, period: Integers, variant: Integers, k: int) -> tuple[Floats, Floats]:
    """Return what came, and had come by then, (ages, periods, k), at the ages all of a period's variants know.

    Parameters
    ----------
    period, variant : of each cohort by its number, both numbered from 0
    """
    place = slice(None), period[seen.cohort], variant[seen.cohort]
    shape = (seen.known.shape[1], period.max(initial=-1) + 1, k)
    known, so_far = np.ones(shape, np.bool_), np.zeros(shape)
    known[place], so_far[place] = seen.known.T, seen.conversions.T
    by_all = known.all(axis=-1)
    so_far[~by_all] = np.inf
    for age in range(shape[0] - 1, 0, -1):  # no more than were left later, see `never_falling`
        np.minimum(so_far[age - 1], so_far[age], out=so_far[age - 1])
    so_far[~by_all] = 0.0
    for age in range(1, shape[0]):
        np.maximum(so_far[age], so_far[age - 1], out=so_far[age])
    return np.diff(so_far, axis=0, prepend=0.0), so_far
