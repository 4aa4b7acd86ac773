"""Advice to stop: by each figure, after enough days, and never before."""

import numpy as np
import pytest

from app.bandits.best_arm.best_arm import best_arm, value_remaining
from app.bandits.best_arm.stopping import StopRule, StopWhen, experiment_days
from app.bandits.posteriors.beta import BetaArms

SURE = BetaArms([1200, 1500], [8800, 8500])
UNSURE = BetaArms([120, 125], [880, 875])


@pytest.mark.parametrize("when", list(StopWhen))
def test_a_sure_champion_may_be_shipped_and_an_unsure_one_not(when):
    assert StopRule(when).advice(SURE, days=14).stop
    assert not StopRule(when).advice(UNSURE, days=14).stop


@pytest.mark.parametrize("when", list(StopWhen))
def test_nothing_is_advised_before_the_minimum_of_days(when):
    assert not StopRule(when, minimum_days=15).advice(SURE, days=14).stop


def test_the_advice_names_the_champion_and_its_statistic():
    found = best_arm(UNSURE)
    p_best = StopRule("p_best").advice(UNSURE, 20)
    loss = StopRule("expected_loss").advice(UNSURE, 20, found)
    remaining = StopRule("value_remaining", quantile=0.9).advice(UNSURE, 20)
    assert (p_best.champion, p_best.statistic, p_best.threshold) == (1, found.p_best[1], 0.95)
    assert (loss.statistic, loss.threshold) == (found.expected_loss[1], 0.001)
    assert (remaining.statistic, remaining.threshold) == (value_remaining(UNSURE, 0.9), 0.01)


def test_the_bounds_themselves_are_taken():
    rule = StopRule("value_remaining", minimum_days=1, quantile=0.5)
    assert rule.advice(SURE, days=1).stop
    assert StopRule().when is StopWhen.VALUE_REMAINING
    assert (StopRule().minimum_days, StopRule().quantile) == (14, 0.95)


def test_a_threshold_may_be_chosen():
    p_best = float(best_arm(UNSURE).p_best[1])
    assert StopRule("p_best", threshold=p_best).advice(UNSURE, 14).stop
    assert not StopRule("p_best", threshold=p_best + 1e-6).advice(UNSURE, 14).stop
    assert StopRule("expected_loss", threshold=0.5).advice(UNSURE, 14).stop
    assert not StopRule("value_remaining", value_remaining(UNSURE)).advice(UNSURE, 14).stop


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"when": "boredom"}, "boredom"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1}, "threshold"),
        ({"minimum_days": 0}, "minimum_days must be >= 1, not 0"),
        ({"quantile": 1}, "quantile must be in"),
        ({"quantile": 0.4}, "quantile must be in"),
    ],
)
def test_settings_without_a_meaning_are_rejected(settings, reason):
    with pytest.raises(ValueError, match=reason):
        StopRule(**settings)


@pytest.mark.parametrize(
    ("shown", "days"),
    [
        pytest.param([[1, 1], [0, 1], [0, 1]], 3, id="one that gets nothing any more"),
        pytest.param([[1, 0], [1, 0], [1, 1], [0, 1]], 2, id="one that joins later"),
        pytest.param([[1, 0], [0, 1], [0, 0], [1, 0]], 2, id="a day off, and never both at once"),
        pytest.param([[1, 0], [1, 0]], 0, id="one that has had nothing"),
        pytest.param(np.zeros((0, 2)), 0, id="no days"),
    ],
)
def test_a_stop_rule_counts_days_of_the_experiment(shown, days):
    assert experiment_days(np.array(shown, dtype=bool)) == days


def test_days_of_many_experiments_are_counted_at_once():
    shown = np.random.default_rng(1).random((50, 12, 3)) < 0.3
    assert experiment_days(shown).tolist() == [int(experiment_days(one)) for one in shown]
