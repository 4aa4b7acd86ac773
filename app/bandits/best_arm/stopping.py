"""When enough is known: advice to stop, never a stop."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.bandits.arrays import Booleans, Integers
from app.bandits.best_arm.best_arm import BestArm, best_arm, value_remaining
from app.bandits.parameters import check_parameters, parameter
from app.bandits.posteriors.beta import BetaArms


class StopWhen(StrEnum):
    """The statistic that a stop rule compares with its threshold."""

    P_BEST = "p_best"
    EXPECTED_LOSS = "expected_loss"
    VALUE_REMAINING = "value_remaining"


THRESHOLDS = {StopWhen.P_BEST: 0.95, StopWhen.EXPECTED_LOSS: 0.001, StopWhen.VALUE_REMAINING: 0.01}
"""The default threshold of each statistic."""


def experiment_days(shown: Booleans) -> Integers:
    """The days a stop rule counts: those on which any arm had trials, since each of them has had some.

    A bandit takes the traffic away from the worse arms, so an arm's own days may stand still while the experiment
    continues; the service, the duration plans and the benchmarks count with this function.

    Parameters
    ----------
    shown : (..., t, k), whether each of the judged arms had trials on a day, the days in order of time

    Returns
    -------
    (...,), 0 while an arm has had none
    """
    all_joined = np.logical_or.accumulate(shown, axis=-2).all(axis=-1)
    days: Integers = (all_joined & shown.any(axis=-1)).sum(axis=-1)
    return days


@dataclass(frozen=True, slots=True)
class StopAdvice:
    """What a rule says today: stop or not, the arm that would stay, and the statistic beside its threshold."""

    stop: bool
    champion: int
    statistic: float
    threshold: float
    days: int


@dataclass(frozen=True, slots=True)
class StopRule:
    """Advise to stop once the champion, the arm with the largest P(best), is good enough.

    - p_best: P(best) of the champion >= threshold
    - expected_loss: its expected loss < threshold, in units of the rate (of currency under the value objective)
    - value_remaining: the `quantile` of what may still be gained over it, relative to it, < threshold

    Parameters
    ----------
    when : the statistic
    threshold : None takes the default one (0.95, 0.001, 0.01)
    minimum_days : no advice to stop before so many days of the experiment (see `experiment_days`)
    quantile : of value remaining

    Raises
    ------
    ValueError
        A parameter is out of bounds.

    References
    ----------
    .. [1] S. L. Scott, Appl. Stochastic Models Bus. Ind. 31 (2015) 37-45, section 4. doi:10.1002/asmb.2104
    """

    when: StopWhen = StopWhen.VALUE_REMAINING
    threshold: float | None = None
    minimum_days: int = parameter(14, "no advice to stop before so many days of data", 1)
    quantile: float = parameter(0.95, "the quantile of the value remaining", 0.5, 0.999999)

    def __post_init__(self) -> None:
        object.__setattr__(self, "when", StopWhen(self.when))
        check_parameters(self)
        most = float("inf") if self.when is StopWhen.EXPECTED_LOSS else 1.0
        if self.threshold is not None and not 0 < self.threshold < most:
            raise ValueError(
                f"threshold of {self.when} must lie strictly between 0 and {most:g}, not {self.threshold}"
            )

    def advice(
        self, arms: BetaArms, days: int, found: BestArm | None = None, remaining: float | None = None
    ) -> StopAdvice:
        """What the rule says of the posteriors (k,) after `days` days of the experiment.

        `found` and `remaining` (P(best), and the value remaining at `quantile`) save computing them again.
        """
        known = best_arm(arms) if found is None else found
        champion = int(known.p_best.argmax())
        limit = THRESHOLDS[self.when] if self.threshold is None else self.threshold
        statistic = self._statistic(arms, known, champion, remaining)
        enough = statistic >= limit if self.when is StopWhen.P_BEST else statistic < limit
        return StopAdvice(enough and days >= self.minimum_days, champion, statistic, limit, days)

    def _statistic(self, arms: BetaArms, known: BestArm, champion: int, remaining: float | None) -> float:
        if self.when is StopWhen.VALUE_REMAINING:
            return value_remaining(arms, self.quantile, champion, known) if remaining is None else remaining
        values = known.p_best if self.when is StopWhen.P_BEST else known.expected_loss
        return float(values[champion])
