"""Totals take what is possible and refuse the rest."""

import numpy as np
import pytest

from app.bandits.totals import Totals


def test_totals_may_be_fractional_and_batched():
    totals = Totals(np.full((4, 3), 10.5), np.full((4, 3), 0.25), value=np.zeros((4, 3)), cost=[0, 0.1, 0])
    assert totals.k == 3
    assert totals.trials.dtype == np.float64


def test_nothing_at_all_is_possible():
    nothing = Totals([0, 0], [0, 0], value=[0, 0], value_sq=[0, 0], cost=[0, 0])
    assert nothing.value_sq.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        pytest.param({"trials": [1, 2], "successes": [1]}, "shape", id="shapes differ"),
        pytest.param(
            {"trials": [1], "successes": [2]}, "between 0 and trials", id="more successes than trials"
        ),
        pytest.param({"trials": [1, 1], "successes": [2, 0]}, "between 0 and trials", id="in one arm of two"),
        pytest.param({"trials": [1], "successes": [-1]}, "between 0 and trials", id="negative successes"),
        pytest.param({"trials": [np.nan], "successes": [0]}, "trials must be finite", id="NaN"),
        pytest.param(
            {"trials": [1], "successes": [1], "value": [np.inf]}, "value must be finite", id="infinite value"
        ),
        pytest.param(
            {"trials": [1], "successes": [1], "value": [1, 2]}, "value has shape", id="value's shape"
        ),
        pytest.param(
            {"trials": [1], "successes": [1], "value_sq": [1]}, "needs value", id="squares without values"
        ),
        pytest.param(
            {"trials": [1], "successes": [1], "value": [1], "value_sq": [-1]},
            "negative",
            id="negative squares",
        ),
        pytest.param(
            {"trials": [1, 1], "successes": [-1, 0]}, "between 0 and trials", id="one of two negative"
        ),
        pytest.param(
            {"trials": [1, 1], "successes": [1, 1], "value": [1, 1], "value_sq": [-1, 1]},
            "negative",
            id="squares of one of two",
        ),
        pytest.param(
            {"trials": [1, 1], "successes": [1, 1], "cost": [-1, 1]}, "cost cannot", id="cost of one of two"
        ),
        pytest.param({"trials": [1], "successes": [1], "cost": [-1]}, "cost cannot", id="negative cost"),
        pytest.param({"trials": [1], "successes": [1], "cost": [1, 1]}, "cost has shape", id="cost's shape"),
        pytest.param({"trials": [], "successes": []}, "at least one arm", id="no arm"),
        pytest.param({"trials": 1, "successes": 1}, "at least one arm", id="no axis"),
    ],
)
def test_impossible_totals_are_rejected(columns, reason):
    with pytest.raises(ValueError, match=reason):
        Totals(**columns)
