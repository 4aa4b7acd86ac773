"""The delay curve from the ages of conversions as they were received, of which the oldest are yet to come."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats
from app.bandits.delay.curve import masses

OWN_WEIGHT = 30.0
"""How many conversions a variant's own curve is shrunk to the common one by."""


@dataclass(frozen=True, slots=True)
class AgeCounts:
    """Conversions by age, and those each age is seen among.

    Parameters
    ----------
    came : (..., J_max + 1), conversions that came at age j exactly
    at_risk : (..., J_max + 1), conversions that came by age j, of the cohorts that are known through age j; those
        are the ones that age j was seen among, as a cohort known through 3 could show nothing of age 4
    """

    came: Floats
    at_risk: Floats

    @classmethod
    def of_ages(
        cls, ages: ArrayLike, known_through: ArrayLike, counts: ArrayLike, oldest: int
    ) -> "AgeCounts":
        """Count right-truncated ages, in one pass over any number of them.

        Parameters
        ----------
        ages : (m,), whole numbers >= 0; a conversion older than ``oldest`` or than its cohort is known is left out
        known_through : (m,), the age through which the conversion's cohort is known
        counts : (m,), conversions of that age in that cohort
        oldest : J_max
        """
        age, known = np.asarray(ages, np.intp), np.minimum(np.asarray(known_through, np.intp), oldest)
        seen = age <= known
        age, known, count = age[seen], known[seen], np.asarray(counts, np.float64)[seen]
        came = np.bincount(age, count, oldest + 1).astype(np.float64)
        gone = np.bincount(known + 1, count, oldest + 2)[:-1]
        return cls(came, np.cumsum(came - gone))

    @classmethod
    def of_cohorts(cls, counts: ArrayLike, known_through: ArrayLike) -> "AgeCounts":
        """Count conversions (..., c, J_max + 1) by cohort and age, each cohort known through an age (c,)."""
        table = np.asarray(counts, np.float64)
        seen = np.arange(table.shape[-1]) <= np.asarray(known_through, np.intp)[:, None]
        table = np.where(seen, table, 0.0)
        return cls(table.sum(axis=-2), np.where(seen, np.cumsum(table, axis=-1), 0.0).sum(axis=-2))


def chain_ladder(counts: AgeCounts, toward: Floats | None = None) -> Floats:
    r"""Return the fractions F(0), ..., F(J_max) = 1 that have come by each age, (..., J_max + 1).

    .. math:: \frac{F(J-1)}{F(J)} = \frac{\sum_c C_c(J-1) + 1}{\sum_c C_c(J) + 1}

    over the cohorts known through J, C_c(J) the conversions that came by age J: the product-limit estimate in
    reversed time. The 1 is one conversion that came at once, in a cohort known in full. It shrinks to "no delay":
    where none came later, F is exactly 1.

    Parameters
    ----------
    toward : (J_max + 1,), the fractions of a curve to shrink to instead, by 30 conversions that came as it has it

    References
    ----------
    .. [1] S. W. Lagakos, L. M. Barraj, V. De Gruttola, Biometrika 75 (1988) 515-523. doi:10.1093/biomet/75.3.515
    .. [2] T. Mack, ASTIN Bulletin 23 (1993) 213-225 (the same ratios as the chain ladder of insurers).
    """
    return ladder_of(counts, imagined_counts(counts.came.shape[-1], toward))


def ladder_of(counts: AgeCounts, imagined: AgeCounts) -> Floats:
    """Return the fractions (..., J_max + 1) that ``chain_ladder`` has, shrunk by imagined conversions."""
    came = counts.came + imagined.came
    at_risk = np.maximum(counts.at_risk, counts.came) + imagined.at_risk  # sums over 2^53 may have lost some
    before = np.maximum(at_risk - came, imagined.at_risk - imagined.came)
    ratios = np.divide(before, at_risk, out=np.ones(at_risk.shape), where=at_risk > 0)
    fractions = np.ones(at_risk.shape)
    np.multiply.accumulate(ratios[..., :0:-1], axis=-1, out=fractions[..., -2::-1])
    return fractions


def imagined_counts(ages: int, toward: Floats | None) -> AgeCounts:
    """Return the conversions that a curve of so many ages is shrunk by: one at once, or 30 as another curve."""
    if toward is None:
        return AgeCounts(np.eye(1, ages)[0], np.ones(ages))
    return AgeCounts(OWN_WEIGHT * masses(toward), OWN_WEIGHT * toward)
