"""Google's published content experiment: two arms, stopped by the value remaining, against a classical test.

Two variants convert at 4 % and 5 %, 100 visits a day. Each morning the visits are re-weighted by P(best); from day
14 on the experiment ends as soon as, with 95 % probability, less than 1 % could still be gained over the champion.
The page reported, of 500 runs, 175 days and 97.5 conversions saved against a classical test of 223 days, and the
right arm in 96.4 % (quoted from memory of the page).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.best_arm.stopping import experiment_days
from app.bandits.best_arm.value_remaining import p_champions_beaten
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.posteriors.beta import BetaArms
from app.bandits.totals import Totals
from app.simulation.random_streams import stream
from app.simulation.regret import pseudo_regret
from app.simulation.replication_statistics import summary

CLASSICAL_DAYS = 223
REMAINING, TAIL = 0.01, 0.05


@dataclass(frozen=True, slots=True)
class ContentExperiment:
    """The experiment's parameters, by default the published ones.

    Parameters
    ----------
    rates : (k,), true conversion rates
    daily_visits : split by a multinomial draw
    minimum_days : no stop before so many days of the experiment, counted as the service does
    most_days : a run that has not stopped by then is ended
    runs : independent seeds
    seed : >= 0
    """

    rates: tuple[float, ...] = (0.04, 0.05)
    daily_visits: int = 100
    minimum_days: int = 14
    most_days: int = 2000
    runs: int = 1000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class ContentOutcome:
    """How each run ended.

    Parameters
    ----------
    days : (r,), until it was stopped
    regret : (r,), pseudo-regret until then, in conversions
    right : (r,), whether the champion was the best arm
    """

    days: Integers
    regret: Floats
    right: Booleans

    def saved_conversions(self, experiment: ContentExperiment) -> Floats:
        """(r,), what an even split over the classical test's days gives up, less the regret."""
        rates = np.array(experiment.rates)
        even = CLASSICAL_DAYS * experiment.daily_visits * (rates.max() - rates.mean())
        saved: Floats = even - self.regret
        return saved

    def to_dict(self, experiment: ContentExperiment) -> dict[str, Any]:
        """As JSON has it, beside what was reported."""
        return {
            "days_saved": summary(CLASSICAL_DAYS - self.days).to_dict(),
            "conversions_saved": summary(self.saved_conversions(experiment)).to_dict(),
            "right": float(self.right.mean()),
            "longer_than_classical": float((self.days > CLASSICAL_DAYS).mean()),
            "reported": {"days_saved": 175, "conversions_saved": 97.5, "right": 0.964, "runs": 500},
        }


def run_content_experiment(experiment: ContentExperiment) -> ContentOutcome:
    """Run it with every seed.

    References
    ----------
    .. [1] S. L. Scott, Multi-armed bandit experiments, Google Analytics help, 2013.
    .. [2] S. L. Scott, Appl. Stochastic Models Bus. Ind. 31 (2015) 37-45, section 4. doi:10.1002/asmb.2104
    """
    rates, runs = np.array(experiment.rates), experiment.runs
    rng = stream(experiment.seed, "content experiment")
    trials, successes = np.zeros((2, runs, len(rates)))
    days, champion = np.zeros(runs, dtype=np.intp), np.zeros(runs, dtype=np.intp)
    shown = np.zeros((runs, experiment.most_days, len(rates)), dtype=np.bool_)
    going = np.arange(runs)
    shares = np.full(trials.shape, 1 / len(rates))
    for day in range(1, experiment.most_days + 1):
        visits = rng.multinomial(experiment.daily_visits, shares)
        trials[going] += visits
        shown[going, day - 1] = visits > 0
        successes[going] += rng.binomial(visits, rates)
        totals = Totals(trials[going], successes[going])
        shares = ThompsonSampling().shares(totals)
        days[going], champion[going] = day, shares.argmax(axis=1)
        if day >= experiment.minimum_days:
            beaten = p_champions_beaten(BetaArms.from_totals(totals), shares.argmax(axis=1), REMAINING)
            too_early = experiment_days(shown[going, :day]) < experiment.minimum_days
            on = (beaten >= TAIL) | too_early
            going, shares = going[on], shares[on]
        if not going.size:
            break
    return ContentOutcome(days, pseudo_regret(trials.T, rates[:, None]), champion == rates.argmax())
