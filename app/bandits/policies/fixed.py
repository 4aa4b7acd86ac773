"""Shares that a person has chosen."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.sampling import sample_arms
from app.bandits.totals import Totals

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Fixed:
    """Give every arm the share that was chosen for it, whatever the data.

    Parameters
    ----------
    chosen : (k,), in the arms' order, each in [0, 1], sum 1; called ``shares`` among the settings

    References
    ----------
    .. [1] R. Kohavi, D. Tang, Y. Xu, Trustworthy Online Controlled Experiments, Cambridge University Press,
       2020, chapter 15 (ramping). doi:10.1017/9781108653985
    """

    chosen: tuple[float, ...] = parameter(
        (), "the share of each arm, in the arms' order; their sum is 1", 0, 1, name="shares"
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "chosen", tuple(self.chosen))
        check_parameters(self)
        if abs(sum(self.chosen) - 1) > ROUNDING:
            raise ValueError(f"fixed shares must sum to 1, not {sum(self.chosen):.9g}")

    def shares(self, totals: Totals) -> Floats:
        """The chosen shares, (..., k).

        Raises
        ------
        ValueError
            There are more or fewer arms than shares.
        """
        if len(self.chosen) != totals.k:
            raise ValueError(f"{len(self.chosen)} fixed shares for {totals.k} arms")
        return np.broadcast_to(np.array(self.chosen, dtype=np.float64), totals.trials.shape).copy()

    def among(self, arms: Booleans) -> "Fixed":
        """The same proportions over some of the arms, equal ones where those were given nothing."""
        chosen = np.array(self.chosen)[arms]
        total = chosen.sum()
        return Fixed(tuple(chosen / total if total > 0 else np.full(len(chosen), 1 / len(chosen))))

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the chosen probabilities."""
        return sample_arms(self.shares(totals), rng, units)
