"""What the policies of the race decide, against their formulas and their own exact shares."""

import numpy as np
import pytest
from scipy import stats

from app.bandits.totals import Totals
from app.simulation.clv.policies.bayesian_groundhog import BayesianGroundhog
from app.simulation.clv.policies.contextual_groundhog import ContextualGroundhog
from app.simulation.clv.policies.epsilon_ringtail import EpsilonRingtail
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.policies.offer_value import drawn_rates, known_values
from app.simulation.clv.policies.registry import preset, race_policy
from app.simulation.clv.policies.segment_junglefowl import SegmentJunglefowl
from app.simulation.clv.world.customers import Customers

DRAWS = 40_000
CONTESTANTS = [
    *preset(),
    BayesianGroundhog(abstain=True),
    ContextualGroundhog(pooling=0.3, abstain=True),
    race_policy("thompson"),
    race_policy("value_epsilon_greedy", {"epsilon": 0.3}),
]


def shown_to(contestant, world, rng):
    """One replication in which every segment and arm has seen something, calls less often a sale."""
    shown = Observations.nothing(1, contestant.segments, world.arms.cost)
    shown.trials[:] = rng.integers(50, 500, shown.trials.shape)
    shown.successes[:] = rng.binomial(shown.trials.astype(int), 0.006)
    shown.value[:] = shown.successes * 600
    shown.value_sq[:] = shown.successes * 600**2
    return shown


@pytest.mark.parametrize("mask", ["all open", "calls only"])
@pytest.mark.parametrize("policy", CONTESTANTS, ids=lambda policy: policy.label)
def test_draws_follow_the_exact_shares(world, policy, mask):
    rng, contestant = np.random.default_rng(3), policy.enter(world)
    shown = shown_to(contestant, world, rng)
    arms = np.arange(world.arms.k)
    open_arms = ((arms >= 0) if mask == "all open" else world.arms.channel == 0)[None]
    segment = np.full((1, DRAWS), min(7, contestant.segments - 1))
    drawn = contestant.draw(shown, segment, open_arms, rng)[0]
    shares = contestant.shares(shown, segment[:, 0], open_arms)[0]
    observed = np.bincount(drawn + 1, minlength=arms.size + 1) / DRAWS
    expected = np.append(1 - shares.sum(), shares).clip(0, 1)
    assert np.abs(observed - expected).max() < 4 * np.sqrt(0.25 / DRAWS)
    assert (np.abs(observed - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / DRAWS) + 1e-6).all()
    assert not shares[~open_arms[0]].any()


def test_a_policy_that_abstains_leaves_some_in_peace_when_only_calls_are_open(world):
    policy = BayesianGroundhog(abstain=True)
    shown = Observations.nothing(1, 1, world.arms.cost)
    calls = (world.arms.channel == 0)[None]
    share = policy.shares(shown, np.zeros(1, dtype=int), calls).sum()
    # no draw of ten from Beta(1, 300) is worth 3 EUR at 400 EUR a sale
    assert share == pytest.approx(1 - stats.beta(1, 300).cdf(3 / 400) ** 10, abs=1e-6)


def test_rates_without_a_sale_are_drawn_from_their_beta_too():
    a, b = np.array([1.0, 1.0, 5.0]), np.array([300.0, 4.0, 70.0])
    drawn = drawn_rates(a, b, (20_000, 3), np.random.default_rng(1))
    for i in range(3):
        assert stats.kstest(drawn[:, i], stats.beta(a[i], b[i]).cdf).pvalue > 1e-4


def test_the_mean_value_of_a_sale_is_shrunk_to_the_pooled_one_with_a_sale_beforehand():
    totals = Totals([50, 50], [3, 0], [1500, 0])
    pooled = (1500 + 400) / (3 + 1)
    assert known_values(totals, 400) == pytest.approx([(1500 + 2 * pooled) / 5, pooled])


def test_before_any_sale_every_arm_is_worth_the_preset_sale_not_one_euro(world):
    shown = Observations.nothing(1, 1, world.arms.cost)
    assert BayesianGroundhog().worth(shown).value == pytest.approx(400)


def test_a_segment_believes_the_pooled_rate_before_it_has_seen_anything(world):
    contestant = ContextualGroundhog().enter(world)
    shown = Observations.nothing(1, contestant.segments, world.arms.cost)
    shown.trials[0, 3, 5], shown.successes[0, 3, 5] = 899, 9
    believed = contestant.worth(shown)
    assert believed.a[0, 0, 5] / (believed.a + believed.b)[0, 0, 5] == pytest.approx(10 / 1000)


def test_the_ringtail_explores_the_other_arms_only():
    shown = Observations.nothing(1, 1, np.array([0.0, 0.0, 0.0]))
    shown.trials[:], shown.successes[0, 0], shown.value[0, 0] = 10, [0, 2, 1], [0, 90, 100]
    shares = EpsilonRingtail(0.2).shares(shown, np.zeros(1, dtype=int), np.ones((1, 3), dtype=bool))
    assert shares[0] == pytest.approx([0.1, 0.1, 0.8])


def test_the_ringtail_counts_what_contacts_cost():
    shown = Observations.nothing(1, 1, np.array([3.0, 0.0]))
    shown.trials[:], shown.successes[0, 0], shown.value[0, 0] = 100, [1, 1], [350, 60]
    shares = EpsilonRingtail(0.0).shares(shown, np.zeros(1, dtype=int), np.ones((1, 2), dtype=bool))
    assert shares[0].tolist() == [0, 1]


def test_the_marketing_department_offers_what_is_faster_the_cheaper_the_likelier(world):
    department = SegmentJunglefowl().enter(world)
    basis = np.flatnonzero(world.base.product == 1)[:1]
    somebody = Customers(basis[None], world.base.product[basis][None], world.base.start[basis][None], 0)
    segment = department.segment_of(somebody)[0]
    shares = department.shares(
        Observations.nothing(1, 1, world.arms.cost), segment, np.ones((1, 20), dtype=bool)
    )
    by_product = np.bincount(world.arms.product, shares[0], minlength=11)
    assert by_product[6:] == pytest.approx([0, 0.3, 0.4, 0.2, 0.1])


def test_the_marketing_department_knows_gold_silver_and_bronze_by_lifetime_value(world):
    department = SegmentJunglefowl().enter(world)
    assert np.bincount(department.tier) / 100_000 == pytest.approx([0.2, 0.6, 0.2], abs=0.02)


def test_who_has_the_fastest_product_is_left_in_peace_by_the_marketing_department(world):
    department = SegmentJunglefowl().enter(world)
    fastest = np.flatnonzero(np.isin(world.base.product, [5, 10]))[None]
    them = Customers(fastest, world.base.product[fastest], world.base.start[fastest], 0)
    arms = department.draw(
        Observations.nothing(1, 1, world.arms.cost), department.segment_of(them), np.ones((1, 20), dtype=bool),
        np.random.default_rng(1),
    )  # fmt: skip
    assert (arms == -1).all()
