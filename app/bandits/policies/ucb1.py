"""UCB1 as shares of a day."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.sampling import equal_shares, sample_arms
from app.bandits.totals import Totals

NEWTON_STEPS = 100


@dataclass(frozen=True, slots=True)
class UCB1:
    r"""Give each arm the part of the day's trials that UCB1 would, pulling one by one with the means fixed.

    UCB1 pulls the arm with the largest index m_i + sqrt(2 ln T / n_i). Arms without a trial have an infinite
    index and share the day equally. Otherwise N more pulls raise n_i by x_i until all pulled arms have one index
    lambda, and no other arm a larger one:

    .. math:: x_i = \max\Bigl(0, \frac{2 \ln(T + N)}{(\lambda - m_i)^2} - n_i\Bigr), \qquad \sum_i x_i = N

    This is the end of the pulling with fractional pulls allowed: within one pull per arm of the integer one,
    independent of the arms' order, and equal for equal arms. lambda is found by Newton's method from the left
    of a convex decreasing function, which converges from one side.

    Parameters
    ----------
    daily_trials : N >= 1, the trials that a day is expected to bring; 1 gives the textbook's next pull

    References
    ----------
    .. [1] P. Auer, N. Cesa-Bianchi, P. Fischer, Machine Learning 47 (2002) 235-256, figure 1.
       doi:10.1023/A:1013689704352
    """

    daily_trials: float = parameter(1000.0, "the trials that a day is expected to bring", 1)

    def __post_init__(self) -> None:
        check_parameters(self)

    def shares(self, totals: Totals) -> Floats:
        """Each arm's part of the day's pulls, (..., k)."""
        untried = totals.trials == 0
        some = untried.any(axis=-1, keepdims=True)
        pulls = self._pulls(totals, untried)
        return np.where(
            some, equal_shares(np.where(some, untried, True).astype(np.float64)), equal_shares(pulls)
        )

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the probabilities `shares`."""
        return sample_arms(self.shares(totals), rng, units)

    def _pulls(self, totals: Totals, untried: Booleans) -> Floats:
        """x, (..., k); an untried arm is given one trial here, its row's answer is not used."""
        trials = np.where(untried, 1, totals.trials)
        means, n = totals.successes / trials, self.daily_trials
        width = 2 * np.log(trials.sum(axis=-1, keepdims=True) + n)
        level = (means + np.sqrt(width / (trials + n))).max(axis=-1, keepdims=True)
        pulls: Floats = np.zeros_like(trials)
        for _ in range(NEWTON_STEPS):
            wanted = width / (level - means) ** 2
            pulls = np.maximum(wanted - trials, 0)
            slope = np.where(pulls > 0, 2 * wanted / (level - means), 0).sum(axis=-1, keepdims=True)
            step = (pulls.sum(axis=-1, keepdims=True) - n) / np.where(slope > 0, slope, np.inf)
            if (step <= 1e-15 * level).all():
                break
            level = level + np.maximum(step, 0)
        return pulls
