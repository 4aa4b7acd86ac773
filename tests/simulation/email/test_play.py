"""Races are repeatable, fair and add up."""

import json
import subprocess
import sys

import numpy as np
import pytest

from app.simulation.email import ChangePoint, EmailPolicyChoice, EmailScenario, RandomWalk, play, work
from app.simulation.email.campaign import BLOCK, play_block
from app.simulation.email.policies import build_policy_to_play
from app.simulation.email.schedule import STEPS, day_ends, held_out, stretches

SMALL = EmailScenario(emails=500, replications=7, days=5)
EVERY_KIND = (
    *(EmailPolicyChoice(kind) for kind in ("thompson", "epsilon_greedy", "epsilon_greedy_original", "ucb1")),
    *(
        EmailPolicyChoice(kind)
        for kind in ("uniform", "top_two_thompson", "value_thompson", "value_epsilon_greedy")
    ),
    EmailPolicyChoice("fixed", {"shares": (0.5, 0.2, 0.1, 0.1, 0.1)}),
)


def changed(**given):
    return EmailScenario(**{"emails": 500, "replications": 7, "days": 5, **given})


def as_bytes(scenario):
    return json.dumps(play(scenario).to_dict(), allow_nan=False).encode()


@pytest.mark.parametrize("cadence", ["per_email", "daily"])
def test_the_same_request_gives_the_same_bytes_in_another_process(cadence):
    code = f"""
import json
from app.simulation.email import EmailScenario, play
scenario = EmailScenario(emails=500, replications=7, days=5, cadence={cadence!r})
print(json.dumps(play(scenario).to_dict(), allow_nan=False), end="")"""
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert other.stdout == as_bytes(changed(cadence=cadence))


@pytest.mark.parametrize("cadence", ["per_email", "daily"])
def test_a_policys_results_do_not_depend_on_who_else_plays(cadence):
    both = play(changed(cadence=cadence)).to_dict()["policies"]
    turned = changed(cadence=cadence, policies=SMALL.policies[::-1])
    assert play(turned).to_dict()["policies"] == both[::-1]


@pytest.mark.parametrize("cadence", ["per_email", "daily"])
def test_every_kind_of_policy_plays_and_sends_every_email(cadence):
    scenario = changed(cadence=cadence, emails=60, replications=3, policies=EVERY_KIND, delay=1)
    for played in play(scenario).policies:
        np.testing.assert_array_equal(played.ledger.sent.sum(axis=0), 60)
        assert (played.ledger.won <= played.ledger.sent).all()


def test_always_the_same_subject_gives_the_same_outcomes_in_both_cadences():
    choice = EmailPolicyChoice("fixed", {"shares": (0, 0, 1, 0, 0)})
    one, other = (
        play(changed(cadence=cadence, policies=(choice,), prior=(1, 1), burn_in=SMALL.burn_in))
        for cadence in ("per_email", "daily")
    )
    first_day = 100
    assert one.policies[0].ledger.won[2].mean() >= other.policies[0].ledger.won[2].mean()
    late = one.policies[0].ledger.conversions[-1] - one.policies[0].ledger.conversions[19]
    assert first_day == day_ends(SMALL)[0]
    np.testing.assert_array_equal(
        late, other.policies[0].ledger.conversions[-1] - other.policies[0].ledger.conversions[19]
    )


def test_blocks_are_played_alike_by_any_process():
    scenario = changed(emails=40, replications=BLOCK + 3, policies=(EmailPolicyChoice("thompson"),))
    whole = play(scenario).policies[0].ledger
    second = play_block(scenario, build_policy_to_play("thompson", {}, (1, 1)), 1)
    np.testing.assert_array_equal(whole.won[:, BLOCK:], second.won)


def test_progress_counts_every_decision():
    seen = []
    play(SMALL, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (work(SMALL), work(SMALL))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_raising_in_progress_stops_the_run():
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(SMALL, stop)


@pytest.mark.parametrize("cadence", ["per_email", "daily"])
def test_curves_end_at_the_totals(cadence):
    for played in play(changed(cadence=cadence, drift=RandomWalk(0.1))).policies:
        ledger = played.ledger
        assert len(ledger.conversions) == STEPS
        np.testing.assert_array_equal(ledger.conversions[-1], ledger.won.sum(axis=0))
        np.testing.assert_allclose(ledger.regrets[-1], ledger.regret)
        np.testing.assert_array_equal(ledger.path_won[-1], ledger.won[:, 0])


def test_stretches_cover_the_campaign_once():
    scenario = changed(emails=333, days=7, drift=(ChangePoint(50, (0.2,) * 5), ChangePoint(51, (0.3,) * 5)))
    cut = stretches(scenario)
    assert [s.start for s in cut] == [0, *(s.end for s in cut[:-1])]
    assert [s.end for s in cut if s.ends_day] == day_ends(scenario)
    assert sorted({s.day for s in cut}) == list(range(7))


def test_after_a_change_point_the_new_best_subject_counts():
    drift = (ChangePoint(250, (1.0, 0.0, 0.0, 0.0, 0.0)),)
    scenario = changed(rates=(0.0, 1.0, 0.0, 0.0, 0.0), drift=drift)
    split = play(scenario).even_split.ledger
    np.testing.assert_array_equal(split.oracle, 500)
    np.testing.assert_array_equal(split.won[:2].T, [[50, 50]] * 7)
    np.testing.assert_array_equal(split.to_best, 100)


def test_a_random_walk_has_the_variance_of_its_steps():
    walk, rng = RandomWalk(0.2), np.random.default_rng(1)
    rates = np.full((1, 20_000), 0.3)
    for _ in range(9):
        rates = walk.moved(rates, rng)
    logits = np.log(rates / (1 - rates))
    assert logits.std() == pytest.approx(0.6, rel=4 / np.sqrt(2 * 20_000))


def test_without_any_conversion_known_thompson_stays_even():
    scenario = changed(delay=500, policies=(EmailPolicyChoice("thompson"),), replications=400)
    sent = play(scenario).policies[0].ledger.sent
    error = sent.std(axis=1) / 20
    assert (np.abs(sent.mean(axis=1) - 100) < 4 * error).all()


def test_delay_costs_conversions():
    prompt, late = (
        play(changed(delay=delay, policies=(EmailPolicyChoice("thompson"),), replications=300))
        .policies[0]
        .ledger
        for delay in (0, 200)
    )
    assert late.won.sum(axis=0).mean() < prompt.won.sum(axis=0).mean()


@pytest.mark.parametrize("cadence", ["per_email", "daily"])
def test_the_holdout_is_counted_separately(cadence):
    scenario = changed(holdout_percent=20, cadence=cadence, replications=500)
    assert held_out(scenario, 0, 500).sum() == 100
    played = play(scenario).policies[0]
    np.testing.assert_array_equal(played.ledger.sent.sum(axis=0), 400)
    error = np.sqrt(100 * 0.486978 * 0.513022 / 500)
    assert played.ledger.holdout_won.mean() == pytest.approx(48.6978, abs=4 * error)


def test_money_is_conversions_times_value_less_emails_times_cost():
    scenario = changed(value_per_conversion=(1.0, 2.0, 3.0, 4.0, 5.0), cost_per_email=0.25)
    result = play(scenario)
    told, ledger = result.to_dict()["policies"][0], result.policies[0].ledger
    assert told["value"]["mean"] == pytest.approx(np.arange(1, 6) @ ledger.won.mean(axis=1))
    assert told["cost"]["mean"] == 125
    assert told["profit"]["mean"] == pytest.approx(told["value"]["mean"] - 125)


def test_one_replication_has_no_interval():
    told = play(changed(replications=1)).to_dict()["policies"][0]["conversions"]
    assert told["sd"] is told["interval_95"] is None
