"""The exported log: propensities that explain it, rows that add up."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from app.bandits.best_arm.best_value_arm import best_value_arm
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.student_t import StudentT
from app.bandits.posteriors.value import ValueArms
from app.simulation.clv.export import COLUMNS, export
from app.simulation.clv.play import play
from app.simulation.clv.policies.bayesian_groundhog import BayesianGroundhog
from app.simulation.clv.policies.known_value_shares import known_value_shares
from app.simulation.clv.policies.registry import preset
from app.simulation.clv.race.race import Race
from app.simulation.clv.world.scenario import Scenario

LONG = Race(scenario=Scenario(days=90), replications=1)
KINDS = [policy.described()["kind"] for policy in preset()]
TIGHT = Scenario(customers=20_000, days=40, channel_quotas=(60, 100))


def chi_square(log):
    """The p-value of the arms' counts, by their propensities' sums given that there was a contact."""
    shares = log.chosen.shares[log.chosen.row]
    shares = shares / shares.sum(axis=1, keepdims=True)
    expected, observed = shares.sum(axis=0), np.bincount(log.contacts.arm, minlength=shares.shape[1])
    some = expected > 5
    statistic = ((observed - expected)[some] ** 2 / expected[some]).sum()
    return stats.chi2(some.sum() - 1).sf(statistic)


@pytest.mark.parametrize("place", range(5), ids=KINDS)
def test_propensities_reproduce_the_observed_shares(place):
    log = export(LONG, place)
    assert log.contacts.arm.size == 18_000
    assert chi_square(log) > 1e-4
    assert (log.chosen.of_contacts(log.contacts) > 0).all()


def test_propensities_are_those_of_the_totals_that_were_decided_by():
    """Under the delay correction, too: played again from the log, the policy's shares explain its arms."""
    race = Race(scenario=Scenario(days=60), replications=1, delay_correction="auto")
    log = export(race, KINDS.index("bayesian_groundhog"))
    assert chi_square(log) > 1e-4
    booked = export(replace(race, delay_correction="none"), KINDS.index("bayesian_groundhog"))
    assert log.chosen.shares.tolist() != booked.chosen.shares.tolist()


@pytest.mark.parametrize("place", range(5), ids=KINDS)
def test_propensities_are_conditional_on_the_channels_still_open(place):
    log = export(Race(scenario=TIGHT, replications=1), place)
    assert chi_square(log) > 1e-4
    assert not log.contacts.open_arms.all()


def test_propensities_of_a_policy_that_abstains_are_those_of_its_contacts():
    policy = BayesianGroundhog(abstain=True)
    log = export(Race(policies=(policy,), scenario=replace(TIGHT, templates=1), replications=1), 0)
    assert (log.chosen.shares.sum(axis=1) < 0.999).any()
    assert chi_square(log) > 1e-4


def test_the_exact_shares_agree_with_the_services_quadrature():
    rng = np.random.default_rng(5)
    trials = rng.integers(500, 3000, (10, 6)).astype(float)
    successes = rng.binomial(trials.astype(int), 0.02).astype(float)
    value, cost = rng.uniform(300, 900, trials.shape), np.tile([3.0, 0.0], (10, 3))
    rates = BetaArms(1 + successes, 300 + trials - successes)
    known = StudentT(value, np.zeros_like(value), np.ones_like(value))
    service = best_value_arm(ValueArms(rates, known, cost, np.ones((10, 1), dtype=bool))).p_best
    own = known_value_shares(rates.a, rates.b, value, cost, np.ones((10, 6), dtype=bool), abstain=False)
    assert own == pytest.approx(service, abs=1e-6)


@pytest.mark.parametrize("a", [0.1, 0.5, 1.0, 3.0])
def test_two_arms_of_one_cost_agree_with_an_independent_integral(a):
    first, second = stats.beta(a, 50), stats.beta(1.5, 200)
    u = (np.arange(400_000) + 0.5) / 400_000
    exact = second.cdf(first.ppf(u) * 400 / 700).mean()
    figures = (
        np.array([[a, 1.5]]),
        np.array([[50.0, 200.0]]),
        np.array([[400.0, 700.0]]),
        np.full((1, 2), 3.0),
    )
    shares = known_value_shares(*figures, np.ones((1, 2), dtype=bool), abstain=False)
    assert shares[0, 0] == pytest.approx(exact, abs=1e-5)


def test_rows_have_the_columns_of_the_log_and_add_up_to_the_result():
    race = Race(
        policies=preset()[:2], scenario=Scenario(customers=5_000, days=40), replications=12, exported=11
    )
    rows = list(export(race, 1).rows())
    assert tuple(rows[0]) == COLUMNS
    assert [row["contact"] for row in rows] == list(range(len(rows)))
    assert sum(row["reward"] for row in rows) == pytest.approx(play(race).final(1)[11])
    assert all((row["delay"] is None) == (row["reward"] <= 0) for row in rows)
