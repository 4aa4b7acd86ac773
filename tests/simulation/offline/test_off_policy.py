"""Logged data tell what another policy would have earned, and how far to believe it."""

import gzip

import numpy as np
import pytest

from app.bandits.policies.registry import build_policy
from app.errors import Invalid
from app.simulation.email import EmailPolicyChoice, EmailScenario, play
from app.simulation.offline.decision_log import DecisionLog, read_csv, read_ndjson
from app.simulation.offline.off_policy import evaluate
from app.simulation.offline.rejection_replay import replay
from tests.support import SHARED


def logged(rates, propensities, n, seed):
    rng = np.random.default_rng(seed)
    p = np.asarray(propensities)
    arm = rng.choice(len(p), n, p=p)
    reward = (rng.random(n) < np.asarray(rates)[arm]).astype(float)
    return DecisionLog(tuple(f"arm {i}" for i in range(len(p))), arm, p[arm], reward)


def read_shared(shared_data, name):
    path = shared_data / name
    if not path.exists():
        pytest.skip(f"{name} is not on this machine")
    with gzip.open(path, "rt") as lines:
        return read_csv(lines)


@pytest.fixture(scope="module")
def hillstrom():
    return read_shared(SHARED / "data", "hillstrom_email.csv.gz")


def test_constant_policies_on_hillstrom_get_their_arms_mean(hillstrom):
    for i in range(len(hillstrom.arms)):
        found = evaluate(hillstrom, np.eye(len(hillstrom.arms))[i])
        mean = hillstrom.reward[hillstrom.arm == i].mean()
        assert found.snips.mean == pytest.approx(mean, abs=1e-12)
        assert abs(found.ips.mean - mean) <= found.ips.standard_error
        assert abs(found.dr.mean - mean) <= found.dr.standard_error
        assert found.warnings == ()


def test_rejection_on_hillstrom_agrees_with_the_arms_mean(hillstrom):
    policy = build_policy("fixed", {"shares": (0.0, 1.0, 0.0)})
    log = DecisionLog(
        hillstrom.arms, *(column[:5000] for column in (hillstrom.arm, hillstrom.propensity, hillstrom.reward))
    )
    found = replay(log, policy, passes=1)
    chosen = log.reward[log.arm == 1]
    assert found.accepted.mean == len(chosen)
    assert found.estimate.mean == pytest.approx(chosen.mean(), abs=1e-12)


@pytest.mark.parametrize(("name", "warned"), [("obd_bts_men.csv.gz", True), ("obd_random_men.csv.gz", False)])
def test_the_uniform_target_is_warned_of_where_the_log_hardly_knows_it(shared_data, name, warned):
    log = read_shared(shared_data, name)
    found = evaluate(log, np.full(len(log.arms), 1 / len(log.arms)))
    assert bool(found.warnings) is warned
    assert 0 < found.ess <= found.n * (1 + 1e-12)
    assert found.largest_weight >= 1 / found.n * (1 - 1e-12)


def test_every_estimator_is_unbiased_and_its_standard_error_is_true():
    rates, target = np.array([0.1, 0.3, 0.5]), np.array([0.2, 0.2, 0.6])
    runs = [evaluate(logged(rates, (0.5, 0.3, 0.2), 400, seed), target) for seed in range(500)]
    for name in ("ips", "snips", "dr"):
        means, errors = np.array(
            [(getattr(run, name).mean, getattr(run, name).standard_error) for run in runs]
        ).T
        assert abs(means.mean() - rates @ target) <= 4 * means.std() / np.sqrt(500) + 1e-3
        assert errors.mean() == pytest.approx(means.std(), rel=0.15)


def test_doubly_robust_is_the_more_precise_where_arms_differ():
    found = evaluate(logged((0.1, 0.9), (0.5, 0.5), 5000, 1), (0.5, 0.5))
    assert found.dr.standard_error < 0.8 * found.ips.standard_error


def test_weights_of_one_are_all_effective():
    found = evaluate(logged((0.1, 0.2), (0.5, 0.5), 200, 1), (0.5, 0.5))
    assert (found.ess, found.largest_weight) == pytest.approx((200, 1 / 200))


def test_one_heavy_decision_is_warned_of():
    n = 1000
    propensity = np.full(n, 0.5)
    propensity[7] = 0.001
    log = DecisionLog(("a", "b"), np.arange(n) % 2, propensity, np.zeros(n))
    warned = evaluate(log, (0.5, 0.5)).warnings
    assert len(warned) == 2
    assert "more than 5 %" in warned[1]


def test_an_arm_that_was_never_logged_has_no_self_normalised_estimate():
    log = DecisionLog(("a", "b"), np.zeros(5, dtype=np.intp), np.full(5, 0.5), np.ones(5))
    found = evaluate(log, (0, 1))
    assert (found.snips.mean, found.ess, bool(found.warnings)) == (None, 0, True)


def test_a_learning_policy_replayed_earns_what_it_earns_live():
    rates, n = (0.2, 0.3, 0.5), 600
    runs = [
        replay(logged(rates, (1 / 3,) * 3, n, seed), build_policy("thompson"), passes=1) for seed in range(60)
    ]
    live = play(
        EmailScenario(rates=rates, emails=n // 3, policies=(EmailPolicyChoice("thompson"),), replications=500)
    )
    earned = live.policies[0].ledger.won.sum(axis=0) / (n // 3)
    means, kept = np.array([(run.estimate.mean, run.accepted.mean) for run in runs]).T
    assert abs(means.mean() - earned.mean()) <= 4 * np.hypot(means.std() / 60**0.5, earned.std() / 500**0.5)
    assert abs(kept.mean() - n / 3) <= 4 * kept.std() / 60**0.5


def test_the_same_replay_gives_the_same_numbers():
    log = logged((0.2, 0.5), (0.5, 0.5), 300, 1)
    one, other = (replay(log, build_policy("epsilon_greedy")).to_dict() for _ in range(2))
    assert one == other


def test_a_log_that_is_not_uniform_is_not_replayed():
    with pytest.raises(Invalid, match="uniform"):
        replay(logged((0.2, 0.5), (0.6, 0.4), 30, 1), build_policy("thompson"))


def test_rewards_that_are_not_0_or_1_are_not_learnt_from():
    log = DecisionLog(("a", "b"), np.array([0, 1]), np.full(2, 0.5), np.array([0.3, 1.0]))
    with pytest.raises(Invalid, match="0 or 1"):
        replay(log, build_policy("thompson"))


HEADER = "arm,propensity,reward\n"


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        pytest.param([HEADER, "a,0.5,1\n", "b,0,1\n"], 3, id="zero propensity"),
        pytest.param([HEADER, "a,1.5,1\n"], 2, id="propensity above 1"),
        pytest.param([HEADER, "a,nan,1\n"], 2, id="propensity not a number"),
        pytest.param([HEADER, "a,0.5,1\n", "c,0.5,1\n"], 3, id="unknown arm"),
        pytest.param([HEADER, "a,0.5,\n"], 2, id="no reward"),
        pytest.param(["arm,reward\n"], 1, id="no column"),
    ],
)
def test_a_bad_line_of_csv_is_named(lines, line):
    with pytest.raises(Invalid, match=f"line {line}") as caught:
        read_csv(lines, arms=("a", "b"))
    assert caught.value.errors[0].line == line


@pytest.mark.parametrize("bad", ["[1]", "{", '{"arm": "a", "propensity": true, "reward": 1}'])
def test_a_bad_line_of_ndjson_is_named(bad):
    good = '{"arm": "a", "propensity": 0.5, "reward": 1, "value": 2.5}'
    with pytest.raises(Invalid, match="line 3"):
        read_ndjson([good, "\n", bad])


def test_values_are_read_and_evaluated():
    row = '{"arm": "a", "propensity": 1, "reward": 1, "value": %s}'
    log = read_ndjson([row % 2.5, row % 3.5])
    assert evaluate(log, (1,), by_value=True).ips.mean == 3


def test_an_empty_log_is_rejected():
    with pytest.raises(Invalid, match="no rows"):
        read_csv([HEADER])


@pytest.mark.parametrize("target", [(1,), (0.5, 0.6), (1.5, -0.5)])
def test_a_target_that_is_no_distribution_is_rejected(target):
    with pytest.raises(ValueError, match="target"):
        evaluate(logged((0.2, 0.5), (0.5, 0.5), 30, 1), target)
