"""Properties of every policy under every setting: floors and fixed shares hold, order and arithmetic are right."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bandits.allocation.decide import AllocationRules, BurnInRule, decide
from app.bandits.allocation.effective_totals import DailyTotals, Weighting, effective_totals
from app.bandits.allocation.rounding import percentages
from app.bandits.policies.registry import POLICIES, build_policy, needs_value
from app.bandits.totals import Totals

KINDS = sorted(POLICIES)


@st.composite
def problems(draw, kinds=tuple(KINDS)):
    """Rules and totals of 2 to 6 arms that fit together, with the policy's kind."""
    k = draw(st.integers(2, 6))
    kind = draw(st.sampled_from(kinds))
    trials = np.array(draw(st.lists(st.integers(0, 2_000), min_size=k, max_size=k)), float)
    rates = draw(st.lists(st.floats(0, 1), min_size=k, max_size=k))
    successes = np.floor(trials * np.array(rates))
    worth = np.array(draw(st.lists(st.integers(1, 50), min_size=k, max_size=k)), float)
    totals = Totals(trials, successes, successes * worth, successes * worth**2 * 1.2, np.zeros(k))
    percents = draw(st.lists(st.integers(0, 100 // k), min_size=k, max_size=k))
    is_fixed = draw(st.lists(st.booleans(), min_size=k, max_size=k).filter(lambda flags: not all(flags)))
    parameters = {"shares": tuple(np.full(k, 1 / k))} if kind == "fixed" else {}
    rules = AllocationRules(
        policy=build_policy(kind, parameters),
        prior=(1.0, 1.0),
        by_value=needs_value(kind),
        floors=np.array(percents) / 100,
        fixed=np.where(is_fixed, np.array(percents) / 100, np.nan),
        burn_in=BurnInRule(draw(st.integers(0, 2)), draw(st.integers(0, 500)), 0, draw(st.floats(0, 1))),
    )
    days = np.where(trials > 0, draw(st.integers(1, 3)), 0).astype(float)
    return rules, totals, days


@settings(deadline=None, max_examples=150)
@given(problems())
def test_percentages_sum_to_exactly_100_and_floors_hold(problem):
    rules, totals, days = problem
    shares = decide(rules, totals, days).shares
    assert sum(percentages(shares)) == Decimal(100)
    free = np.isnan(rules.fixed)
    assert (shares[free] >= rules.floors[free] - 1e-12).all()
    assert shares[~free] == pytest.approx(rules.fixed[~free], abs=1e-12)


@settings(deadline=None, max_examples=100)
@given(problems(), st.randoms(use_true_random=False))
def test_permuting_the_arms_permutes_the_shares(problem, random):
    rules, totals, days = problem
    order = list(range(totals.k))
    random.shuffle(order)
    moved = Totals(
        totals.trials[order],
        totals.successes[order],
        totals.value[order],
        totals.value_sq[order],
        totals.cost,
    )
    permuted = AllocationRules(
        rules.policy, rules.prior, rules.by_value, rules.floors[order], rules.fixed[order], rules.burn_in
    )
    expected = decide(rules, totals, days).shares[order]
    assert decide(permuted, moved, days[order]).shares == pytest.approx(expected, abs=1e-8)


@settings(deadline=None, max_examples=100)
@given(problems())
def test_an_arm_in_burn_in_gets_its_floor_or_its_burn_in_share_and_no_more(problem):
    rules, totals, days = problem
    found = decide(rules, totals, days)
    if found.gate != "burn_in" or not (np.isnan(rules.fixed) & ~found.burning).any():
        return
    most = np.maximum(rules.floors, min(rules.burn_in.share, 1 / totals.k))
    assert (found.shares[found.burning] <= most[found.burning] + 1e-12).all()


def test_a_new_arm_takes_no_part_in_p_best():
    """3 % after 10,000 trials: beside it an untried arm would be best with 97 %."""
    rules = AllocationRules(
        build_policy("thompson"), (1.0, 1.0), False, np.zeros(2), np.full(2, np.nan), BurnInRule()
    )
    found = decide(rules, Totals(np.array([10_000.0, 0.0]), np.array([300.0, 0.0])), np.array([1.0, 0.0]))
    assert found.shares.tolist() == [0.5, 0.5]
    assert found.best.p_best.tolist() == [1.0]
    untried = AllocationRules(rules.policy, rules.prior, False, rules.floors, rules.fixed, BurnInRule(days=0))
    assert decide(untried, Totals([10_000.0, 0.0], [300.0, 0.0]), np.array([1.0, 0.0])).shares[1] > 0.96


def test_burn_in_shares_shrink_where_floors_leave_less_room():
    """Floors 70 % and 0: the new arm can have 30 % of its 50 %."""
    rules = AllocationRules(
        build_policy("thompson"), (1.0, 1.0), False, np.array([0.7, 0.0]), np.full(2, np.nan), BurnInRule()
    )
    found = decide(rules, Totals([100.0, 0.0], [10.0, 0.0]), np.array([1.0, 0.0]))
    assert found.shares == pytest.approx([0.7, 0.3], abs=1e-15)


def thompson(floors, burn_in, fixed=None):
    held = np.full(len(floors), np.nan) if fixed is None else np.array(fixed)
    return AllocationRules(build_policy("thompson"), (1.0, 1.0), False, np.array(floors), held, burn_in)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(0.1, 0.1, id="the share that was set"),
        pytest.param(0.9, 0.25, id="at most an equal one"),
        pytest.param(None, 0.25, id="an equal one by default"),
        pytest.param(0.01, 0.04, id="at least the floor"),
        pytest.param(0, 0.04, id="no more than the floor"),
    ],
)
def test_a_new_arm_of_four_gets_its_burn_in_share(share, expected):
    totals = Totals([1000, 1000, 1000, 0], [100, 110, 120, 0])
    found = decide(thompson([0.04] * 4, BurnInRule(share=share)), totals, np.array([9, 9, 9, 0.0]))
    assert found.shares[3] == pytest.approx(expected, abs=1e-15)
    assert (found.gate, found.burning.tolist()) == ("burn_in", [False, False, False, True])


@pytest.mark.parametrize(
    ("trials", "gate"), [([0, 0], "no_data"), ([1, 0], None)], ids=["no trial", "a single trial"]
)
def test_without_a_trial_there_are_no_data(trials, gate):
    found = decide(thompson([0.0, 0.0], BurnInRule(days=0)), Totals(trials, [0, 0]), np.array([0.0, 0.0]))
    assert found.gate == gate
    assert found.judged.tolist() == [True, True]


def test_thompson_judges_the_free_arms_alone_beside_a_fixed_one():
    """Beta(2, 1) against Beta(1, 2) share what the fixed arm leaves, 5/6 to 1/6."""
    rules = thompson([0.0, 0.0, 0.0], BurnInRule(days=0), [0.4, np.nan, np.nan])
    found = decide(rules, Totals([50, 1, 1], [49, 1, 0]), np.array([1.0, 1, 1]))
    assert found.shares == pytest.approx([0.4, 0.6 * 5 / 6, 0.6 / 6], abs=1e-12)
    assert len(found.best.p_best) == 3


@pytest.mark.parametrize(
    ("burn_in", "unfinished"),
    [
        (BurnInRule(days=3), [True, False, False]),
        (BurnInRule(impressions=100), [True, False, False]),
        (BurnInRule(successes=20), [True, True, False]),
        (BurnInRule(days=2, impressions=99, successes=10), [False, False, False]),
    ],
    ids=["days", "impressions", "successes", "exactly enough"],
)
def test_burn_in_ends_when_all_that_is_asked_was_shown(burn_in, unfinished):
    totals = Totals([99, 100, 200], [10, 19, 20])
    assert burn_in.unfinished(totals, np.array([2.0, 3, 4])).tolist() == unfinished


@st.composite
def histories(draw):
    """Rules that fit, with up to 12 days of 2 to 4 arms and a way to weigh them."""
    rules, totals, _ = draw(problems())
    days = draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    trials = rng.integers(0, 500, (days, totals.k)).astype(float)
    successes = rng.binomial(trials.astype(int), 0.2).astype(float)
    table = DailyTotals(np.arange(days), trials > 0, trials, successes, 3 * successes, 10 * successes)
    weighting = Weighting(
        window_days=draw(st.none() | st.integers(1, 15)),
        half_life_days=draw(st.none() | st.floats(0.01, 1_000)),
        day_effects=draw(st.booleans()),
    )
    return rules, table, weighting


@settings(deadline=None, max_examples=150)
@given(histories())
def test_every_way_of_weighing_days_gives_shares_that_sum_to_100_and_hold_floors(history):
    rules, table, weighting = history
    used = effective_totals(table, int(table.day[-1]), weighting)
    assert used.possible.all()
    totals = Totals(used.trials, used.successes, used.value, used.value_sq, np.zeros(len(used.days)))
    shares = decide(rules, totals, used.days).shares
    assert sum(percentages(shares)) == Decimal(100)
    assert (shares >= np.where(np.isnan(rules.fixed), rules.floors, rules.fixed) - 1e-12).all()


@settings(deadline=None, max_examples=40)
@given(histories())
def test_an_endless_half_life_and_a_window_beyond_the_history_equal_none(history):
    rules, table, weighting = history
    last = int(table.day[-1])

    def found(**weights):
        used = effective_totals(table, last, Weighting(**weights, day_effects=weighting.day_effects))
        totals = Totals(used.trials, used.successes, used.value, used.value_sq, np.zeros(len(used.days)))
        return (
            *(getattr(used, figure).tolist() for figure in ("trials", "successes", "value", "value_sq")),
            decide(rules, totals, used.days).shares.tolist(),
        )

    assert found(half_life_days=np.inf) == found(window_days=len(table.day)) == found()


@settings(deadline=None, max_examples=60)
@given(problems(kinds=("thompson",)), st.integers(0, 5))
def test_one_more_success_never_lowers_an_arms_share_whatever_the_floors(problem, arm):
    rules, totals, days = problem
    i = arm % totals.k
    if totals.successes[i] == totals.trials[i]:
        return
    better = Totals(totals.trials, totals.successes + (np.arange(totals.k) == i))
    assert decide(rules, better, days).shares[i] >= decide(rules, totals, days).shares[i] - 1e-12


def test_without_a_burn_in_share_and_a_floor_a_new_arm_waits_for_data_from_elsewhere():
    rules, days = thompson([0.0, 0.0], BurnInRule(share=0)), np.array([9.0, 0])
    assert decide(rules, Totals([1000, 0], [100, 0]), days).shares.tolist() == [1, 0]
    fed = decide(rules, Totals([1000, 1000], [100, 100]), np.array([9.0, 1]))
    assert fed.shares == pytest.approx([0.5, 0.5])


def test_a_burn_in_share_is_capped_at_an_equal_one():
    rules = AllocationRules(
        build_policy("thompson"), (1.0, 1.0), False, np.zeros(4), np.full(4, np.nan), BurnInRule(share=0.9)
    )
    found = decide(rules, Totals([100.0, 100, 100, 0], [10.0, 10, 10, 0]), np.array([1.0, 1, 1, 0]))
    assert found.shares == pytest.approx([0.25] * 4, abs=1e-12)
