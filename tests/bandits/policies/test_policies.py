"""What holds for every policy: shares that sum to 1, fairness to all arms, and draws that follow the shares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from app.bandits.policies.registry import POLICIES, build_policy, needs_value, policy_parameters, summary
from app.bandits.totals import Totals

few = settings(max_examples=25, deadline=None, derandomize=True)
K = 4
PARAMETERS = {"fixed": {"shares": [0.4, 0.1, 0.3, 0.2]}}
KINDS = sorted(POLICIES)
FREE = [kind for kind in KINDS if kind != "fixed"]

arm = st.tuples(st.integers(0, 400), st.integers(0, 3000), st.floats(0.5, 50), st.floats(1, 4))
four_arms = st.lists(arm, min_size=K, max_size=K)


def totals_of(arms):
    """Totals of (successes, failures, mean value, mean square over squared mean) per arm."""
    successes, failures, value, spread = np.array(arms, dtype=float).T
    return Totals(
        successes + failures,
        successes,
        value=successes * value,
        value_sq=successes * value**2 * spread,
        cost=np.zeros(len(arms)),
    )


def with_chances(arms):
    """The same arms with enough data for an arm without a success in ten million trials to be hopeless."""
    return [(s + 30, f + 30, v, q) for s, f, v, q in arms]


HOPELESS = (0, 10**7, 1, 1)


def built(kind, **parameters):
    return build_policy(kind, PARAMETERS.get(kind, {}) | parameters)


SOME = totals_of([(12, 88, 30, 2), (15, 85, 28, 2), (13, 87, 31, 1.5), (9, 91, 40, 3)])


@pytest.mark.parametrize("kind", KINDS)
@few
@given(four_arms)
def test_shares_are_probabilities(kind, arms):
    shares = built(kind).shares(totals_of(arms))
    assert shares.shape == (K,)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1, abs=1e-6 if needs_value(kind) else 1e-9)


@pytest.mark.parametrize("kind", FREE)
@few
@given(four_arms, st.permutations(range(K)))
def test_permuting_the_arms_permutes_the_shares(kind, arms, order):
    policy = built(kind)
    permuted = policy.shares(totals_of([arms[i] for i in order]))
    assert permuted == pytest.approx(
        policy.shares(totals_of(arms))[list(order)], abs=1e-6 if needs_value(kind) else 1e-9
    )


@pytest.mark.parametrize("kind", FREE)
@few
@given(arm)
def test_identical_arms_get_equal_shares(kind, figures):
    shares = built(kind).shares(totals_of([figures] * K))
    assert shares == pytest.approx(1 / K, abs=1e-6 if needs_value(kind) else 1e-9)
    assert np.ptp(shares) <= 1e-15


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_totals_give_the_same_bits(kind):
    assert (built(kind).shares(SOME) == built(kind).shares(SOME)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_many_bandits_at_once_get_the_shares_each_would_get_alone(kind):
    others = totals_of([(0, 0, 1, 1), (3, 40, 20, 2), (300, 2000, 25, 2), (40, 300, 22, 1)])
    columns = ("trials", "successes", "value", "value_sq")
    both = Totals(*(np.stack([getattr(t, c) for t in (SOME, others)])[:, None] for c in columns))
    together = built(kind).shares(both)
    assert together.shape == (2, 1, K)
    for i, alone in enumerate((SOME, others)):
        assert together[i, 0] == pytest.approx(built(kind).shares(alone), abs=1e-9)


@pytest.mark.sampling
@pytest.mark.parametrize("kind", KINDS)
def test_frequencies_of_draws_are_the_shares(kind):
    n = 20_000
    drawn = built(kind).draw(SOME, np.random.default_rng(20), n)
    expected = n * built(kind).shares(SOME)
    seen = np.bincount(drawn, minlength=K)
    assert drawn.shape == (n,)
    assert (seen[expected < 1e-6] == 0).all()
    some = expected >= 1e-6
    assert stats.chisquare(seen[some], expected[some] * n / expected[some].sum()).pvalue > 1e-4


@pytest.mark.sampling
@pytest.mark.parametrize("kind", KINDS)
@few
@given(four_arms)
def test_frequencies_of_draws_are_the_shares_of_any_totals(kind, arms):
    n, totals = 2_000, totals_of(with_chances(arms))
    shares = built(kind).shares(totals)
    seen = np.bincount(built(kind).draw(totals, np.random.default_rng(23), n), minlength=K)
    assert (np.abs(seen - n * shares) <= 4 * np.sqrt(n * shares * (1 - shares)) + 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_one_arm_is_drawn_for_each_bandit(kind):
    columns = ("trials", "successes", "value", "value_sq")
    batch = Totals(*(np.tile(getattr(SOME, c), (3000, 1)) for c in columns))
    drawn = built(kind).draw(batch, np.random.default_rng(21))
    expected = 3000 * built(kind).shares(SOME)
    some = expected > 1e-6
    assert drawn.shape == (3000,)
    assert stats.chisquare(np.bincount(drawn, minlength=K)[some], expected[some]).pvalue > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_arm_gets_everything(kind):
    policy = build_policy(kind, {"shares": [1]} if kind == "fixed" else {})
    assert policy.shares(Totals([10], [3], [30], [400])) == pytest.approx([1], abs=1e-9)


@pytest.mark.parametrize(
    ("kind", "error"), [("thompson", 1e-9), ("top_two_thompson", 1e-9), ("value_thompson", 1e-6)]
)
@few
@given(four_arms)
def test_a_hopeless_arm_changes_nothing(kind, error, arms):
    arms = with_chances(arms)
    shares = built(kind).shares(totals_of(arms))
    assert built(kind).shares(totals_of([*arms, HOPELESS])) == pytest.approx(np.append(shares, 0), abs=error)


@pytest.mark.parametrize("kind", ["epsilon_greedy", "value_epsilon_greedy"])
@few
@given(four_arms)
def test_a_hopeless_arm_takes_its_part_of_the_exploration_and_nothing_else(kind, arms):
    arms = with_chances(arms)
    exploited = built(kind).shares(totals_of(arms)) - 0.1 / K
    expected = np.append(exploited, 0) + 0.1 / (K + 1)
    assert built(kind).shares(totals_of([*arms, HOPELESS])) == pytest.approx(expected, abs=1e-12)


@few
@given(four_arms, st.integers(1, 10**6))
def test_ucb1_gives_a_hopeless_arm_what_its_bonus_asks_and_the_others_what_is_left(arms, failures):
    """x_h <= 2 ln(T + N) / m^2 - n_h with m the largest mean; the level of the others by scipy."""
    totals = totals_of([*with_chances(arms), (0, failures, 1, 1)])
    shares = built("ucb1").shares(totals)
    n, mean = totals.trials[:K], totals.successes[:K] / totals.trials[:K]
    width = 2 * np.log(totals.trials.sum() + 1000)
    assert 1000 * shares[K] <= max(width / mean.max() ** 2 - failures, 0) + 1e-6

    left = 1000 * (1 - shares[K])
    if left < 1:
        return
    level = optimize.brentq(
        lambda level: np.maximum(width / (level - mean) ** 2 - n, 0).sum() - left,
        (mean + np.sqrt(width / (n + left))).max() - 1e-12,
        mean.max() + np.sqrt(width),
        xtol=1e-15,
    )
    pulls = np.maximum(width / (level - mean) ** 2 - n, 0)
    assert 1000 * shares[:K] == pytest.approx(pulls, abs=1e-4)


@few
@given(four_arms, st.integers(0, K - 1))
def test_one_more_success_never_lowers_an_arms_share_under_thompson(arms, i):
    s, f, *rest = arms[i]
    better = [*arms[:i], (s + 1, f, *rest), *arms[i + 1 :]]
    policy = built("thompson")
    assert policy.shares(totals_of(better))[i] >= policy.shares(totals_of(arms))[i] - 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_every_policy_says_what_it_does_and_where_it_comes_from(kind):
    assert summary(kind).endswith(".")
    assert "References" in POLICIES[kind].__doc__
    assert all(p.description for p in policy_parameters(kind))


def test_parameters_are_described_with_their_bounds():
    (epsilon,) = policy_parameters("epsilon_greedy")
    assert (epsilon.name, epsilon.default, epsilon.minimum, epsilon.maximum) == ("epsilon", 0.1, 0, 1)
    (shares,) = policy_parameters("fixed")
    assert (shares.name, shares.is_row, shares.default) == ("shares", True, None)
    assert (shares.minimum, shares.maximum) == (0, 1)
    (daily_trials,) = policy_parameters("ucb1")
    assert (daily_trials.default, daily_trials.is_row) == (1000, False)
    assert policy_parameters("thompson") == []


def test_the_prior_goes_to_the_policies_that_have_one():
    assert build_policy("thompson", prior=(2, 3)).prior == (2, 3)
    assert build_policy("value_epsilon_greedy", {"epsilon": 0.2}, prior=(2, 3)).prior == (2, 3)
    assert build_policy("uniform", prior=(2, 3)).shares(SOME).tolist() == [0.25] * K


@pytest.mark.parametrize(
    ("kind", "parameters", "reason"),
    [
        ("thomson", {}, "there is no policy 'thomson'; choose one of thompson, top_two"),
        ("thompson", {"epsilon": 0.1}, "thompson has no parameter 'epsilon'; its parameters: none"),
        ("epsilon_greedy", {"eps": 0.1}, "its parameters: epsilon"),
        ("epsilon_greedy", {"epsilon": 1.1}, r"epsilon must be in \[0, 1\], not 1.1"),
        ("value_epsilon_greedy", {"epsilon": -0.1}, "epsilon must be in"),
        ("top_two_thompson", {"beta": np.nan}, "beta must be in"),
        ("ucb1", {"daily_trials": 0}, "daily_trials must be >= 1, not 0"),
        ("fixed", {}, "sum to 1"),
        ("fixed", {"shares": [0.5, 0.4]}, "fixed shares must sum to 1, not 0.9"),
        ("fixed", {"shares": [1.5, -0.5]}, "shares must be in"),
    ],
)
def test_what_a_policy_cannot_be_built_from_is_rejected(kind, parameters, reason):
    with pytest.raises(ValueError, match=reason):
        build_policy(kind, parameters)


@pytest.mark.parametrize("kind", ["thompson", "top_two_thompson", "epsilon_greedy", "value_thompson"])
def test_an_improper_prior_is_rejected_when_the_policy_is_built(kind):
    with pytest.raises(ValueError, match="prior"):
        build_policy(kind, prior=(0, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_at_their_bounds_are_taken(kind):
    for bound in (p for p in policy_parameters(kind) if not p.is_row):
        for figure in (bound.minimum, bound.maximum):
            if figure is not None:
                shares = build_policy(kind, {bound.name: figure}).shares(SOME)
                assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("uniform", "fixed", "ucb1")])
def test_the_uniform_prior_is_the_default(kind):
    assert POLICIES[kind]().prior == build_policy(kind).prior == (1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_beyond_their_bounds_are_rejected(kind):
    for bound in (p for p in policy_parameters(kind) if not p.is_row):
        assert (bound.minimum, bound.maximum) == ((1, None) if kind == "ucb1" else (0, 1))
        for figure in [bound.minimum - 0.01] + ([] if bound.maximum is None else [1.01]):
            with pytest.raises(ValueError, match=bound.name):
                build_policy(kind, {bound.name: figure})


@pytest.mark.parametrize("kind", ["value_thompson", "value_epsilon_greedy"])
def test_draws_pay_the_costs_that_the_shares_pay(kind):
    costly = Totals(SOME.trials, SOME.successes, SOME.value, SOME.value_sq, cost=[0, 1, 0.5, 0])
    n, expected = 20_000, built(kind).shares(costly)
    seen = np.bincount(built(kind).draw(costly, np.random.default_rng(22), n), minlength=K)
    assert stats.chisquare(seen, n * expected / expected.sum()).pvalue > 1e-4
