"""Which missing reports are worth waiting for: those that no impressions at all would not explain."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats

SURPRISING = 0.001
"""The probability of no impressions below which a report is taken to be late rather than empty."""

DIGITS = 10
"""Decimals to which that probability is rounded before it is compared: the same on every processor."""


@dataclass(frozen=True, slots=True)
class MissingReports:
    r"""What the impressions of the arms that reported a day say of those that did not.

    The arms with traffic that reported had n trials and the share q of the day's traffic. Of the trials that they
    and a missing arm of share p had together, each was the missing arm's with probability p / (p + q), so that all
    n were the others' with

    .. math:: P = \Bigl(1 - \frac{p}{p + q}\Bigr)^n,

    and n p / q are expected of it. Where no arm with traffic reported, P is 0: the report is awaited.

    Parameters
    ----------
    shares : (..., k), fractions of the day's traffic
    reported : (..., k), whether an arm reported
    trials : (..., k), 0 where it did not
    """

    shares: Floats
    reported: Booleans
    trials: Floats

    @property
    def missing(self) -> Booleans:
        """Return which arms with traffic did not report, (..., k)."""
        return ~self.reported & (self.shares > 0)

    @property
    def p_no_impressions(self) -> Floats:
        """Return the probability that a missing arm had none, (..., k); 1 for the others."""
        q, n = self._of_reporting(self.shares), self._of_reporting(self.trials)
        others = q / np.where(self.missing, self.shares + q, 1.0)
        return np.where(self.missing, np.where(q > 0, others**n, 0.0), 1.0)

    @property
    def expected(self) -> Floats:
        """Return the impressions expected of a missing arm, (..., k); infinite where P is 0 for lack of others."""
        q, n = self._of_reporting(self.shares), self._of_reporting(self.trials)
        beside = np.where(q > 0, n * self.shares / np.where(q > 0, q, 1.0), np.inf)
        return np.where(self.missing, beside, 0.0)

    @property
    def awaited(self) -> Booleans:
        """Return whose report is awaited, (..., k): no impressions would have a probability below 0.001."""
        awaited: Booleans = self.p_no_impressions.round(DIGITS) < SURPRISING
        return awaited

    def _of_reporting(self, values: Floats) -> Floats:
        """Return the sums over the arms with traffic that reported, (..., 1)."""
        summed: Floats = np.where(self.reported & (self.shares > 0), values, 0.0).sum(axis=-1, keepdims=True)
        return summed
