"""What a fixed policy would have earned, from a log of another one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats, Integers
from app.bandits.numerics.normal import normal_quantile
from app.simulation.offline.decision_log import DecisionLog
from app.simulation.random_streams import stream

FOLDS = 5
MIN_ESS_FRACTION = 0.10
MAX_WEIGHT_FRACTION = 0.05
SHRUNK_BY = 2.0


@dataclass(frozen=True, slots=True)
class OutcomeEstimate:
    """A mean outcome per decision.

    Parameters
    ----------
    mean : in units of the outcome; None where the log says nothing about it
    standard_error : of the mean; None likewise
    """

    mean: float | None
    standard_error: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        interval = None
        if self.mean is not None and self.standard_error is not None:
            half = normal_quantile(0.95) * self.standard_error
            interval = [self.mean - half, self.mean + half]
        return {"mean": self.mean, "standard_error": self.standard_error, "interval_95": interval}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A fixed policy's estimates, and how far to trust them.

    Parameters
    ----------
    ips, snips, dr : inverse propensity scoring, the same self-normalised, and doubly robust
    ess : effective sample size, (sum w)^2 / sum w^2, in decisions
    largest_weight : its part of the sum of all weights, in [0, 1]
    n : decisions in the log
    warnings : sentences
    """

    ips: OutcomeEstimate
    snips: OutcomeEstimate
    dr: OutcomeEstimate
    ess: float
    largest_weight: float
    n: int
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            **{name: getattr(self, name).to_dict() for name in ("ips", "snips", "dr")},
            "ess": self.ess,
            "largest_weight": self.largest_weight,
            "n": self.n,
            "warnings": list(self.warnings),
        }


def evaluate(log: DecisionLog, target: ArrayLike, by_value: bool = False) -> Evaluation:
    r"""The estimates for a policy that always plays with the shares `target`, (k,).

    With the weights w = target(arm) / propensity and outcomes y,

    .. math:: IPS = \overline{w y}, \quad SNIPS = \frac{\sum w y}{\sum w}, \quad
              DR = \overline{\textstyle\sum_a e_a \hat q_a + w (y - \hat q_{arm})}

    with q-hat an arm's mean outcome in the other four of five random folds, shrunk to their overall mean by two
    pseudo-decisions (cross-fitting: no decision is compared with a mean that contains it). Standard errors are
    those of the means; SNIPS' is the linearised ratio's.

    Parameters
    ----------
    target : (k,), >= 0, sum 1
    by_value : the outcome is the value rather than the reward

    Raises
    ------
    ValueError
        The target is no distribution over the log's arms, or the log has no values.

    References
    ----------
    .. [1] M. Dudik, D. Erhan, J. Langford, L. Li, Statistical Science 29 (2014) 485-511. doi:10.1214/14-STS500
    .. [2] A. Swaminathan, T. Joachims, NeurIPS 2015 (self-normalised estimator).
    """
    shares = checked_target(log, target)
    outcome = outcomes(log, by_value)
    weight = shares[log.arm] / log.propensity
    total, n = float(weight.sum()), len(weight)
    ess = total**2 / float((weight**2).sum()) if total else 0.0
    largest = float(weight.max()) / total if total else 0.0
    return Evaluation(
        _mean(weight * outcome),
        _ratio(weight, outcome),
        _mean(_doubly_robust(log, shares, weight, outcome)),
        ess,
        largest,
        n,
        _warnings(ess, largest, n),
    )


def checked_target(log: DecisionLog, target: ArrayLike) -> Floats:
    """The shares as an array, if they are a distribution over the log's arms."""
    shares = np.asarray(target, dtype=np.float64)
    if shares.shape != (len(log.arms),):
        raise ValueError(f"target: {shares.size} shares for {len(log.arms)} arms")
    if not (shares >= 0).all() or not abs(shares.sum() - 1) <= 1e-9:
        raise ValueError("target: shares must be >= 0 and sum to 1")
    return shares


def outcomes(log: DecisionLog, by_value: bool) -> Floats:
    """The rewards or the values, (n,)."""
    if not by_value:
        return log.reward
    if log.value is None:
        raise ValueError("log: it has no column value")
    return log.value


def _mean(terms: Floats) -> OutcomeEstimate:
    n = len(terms)
    return OutcomeEstimate(float(terms.mean()), float(terms.std(ddof=1)) / n**0.5 if n > 1 else None)


def _ratio(weight: Floats, outcome: Floats) -> OutcomeEstimate:
    total = float(weight.sum())
    if total == 0:
        return OutcomeEstimate(None, None)
    mean = float((weight * outcome).sum()) / total
    return OutcomeEstimate(mean, float(np.sqrt((weight**2 * (outcome - mean) ** 2).sum())) / total)


def _doubly_robust(log: DecisionLog, shares: Floats, weight: Floats, outcome: Floats) -> Floats:
    n, k = len(outcome), len(log.arms)
    fold = stream(0, "folds", n).permutation(n) % FOLDS
    terms = np.empty(n)
    for i in range(FOLDS):
        held, others = fold == i, fold != i
        means = _arm_means(log.arm[others], outcome[others], k)
        terms[held] = shares @ means + weight[held] * (outcome[held] - means[log.arm[held]])
    return terms


def _arm_means(arm: Integers, outcome: Floats, k: int) -> Floats:
    overall = float(outcome.mean()) if len(outcome) else 0.0
    summed, count = np.bincount(arm, outcome, minlength=k), np.bincount(arm, minlength=k)
    means: Floats = (summed + SHRUNK_BY * overall) / (count + SHRUNK_BY)
    return means


def _warnings(ess: float, largest: float, n: int) -> tuple[str, ...]:
    found = []
    if ess < MIN_ESS_FRACTION * n:
        found.append(f"the effective sample size is {ess:.1f}, less than 10 % of the {n:,} decisions")
    if largest > MAX_WEIGHT_FRACTION:
        found.append(f"one decision carries {100 * largest:.1f} % of all weight, more than 5 %")
    return tuple(found)
