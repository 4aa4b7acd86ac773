"""Floors hold exactly, fixed shares are exact, and what does not fit is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bandits.allocation.floors import with_floors

few = settings(max_examples=25, deadline=None, derandomize=True)
NAN = np.nan
shares = (
    st.lists(st.floats(0, 1), min_size=2, max_size=8)
    .filter(lambda w: sum(w) > 1e-3)
    .map(lambda w: np.array(w) / sum(w))
)


@pytest.mark.parametrize(
    ("floors", "fixed", "expected"),
    [
        pytest.param(0, None, [0.7, 0.2, 0.1], id="no floors"),
        pytest.param(0.1, None, [0.1 + 0.7 * 0.7, 0.1 + 0.7 * 0.2, 0.1 + 0.7 * 0.1], id="one floor for all"),
        pytest.param([0, 0, 0.5], None, [0.35, 0.1, 0.55], id="a floor for one"),
        pytest.param(0, [NAN, 0.4, NAN], [0.6 * 7 / 8, 0.4, 0.6 / 8], id="a fixed share"),
        pytest.param(0.1, [0.4, NAN, NAN], [0.4, 0.1 + 0.4 * 2 / 3, 0.1 + 0.4 / 3], id="both"),
        pytest.param(0, [NAN, 1, NAN], [0, 1, 0], id="one takes everything"),
        pytest.param([0.3, 0.3, 0.4], None, [0.3, 0.3, 0.4], id="floors that sum to 1"),
        pytest.param(0.9, [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], id="all fixed; their floors do not count"),
    ],
)
def test_floors_come_first_and_the_policy_shares_the_rest(floors, fixed, expected):
    assert with_floors([0.7, 0.2, 0.1], floors, fixed) == pytest.approx(expected, abs=1e-15)


@few
@given(shares, st.floats(0, 1))
def test_equal_floors_hold_exactly_and_reverse_no_order(policy, part):
    floor = part / len(policy)
    served = with_floors(policy, floor)
    assert served.sum() == pytest.approx(1, abs=1e-12)
    assert (served >= floor).all()
    assert (np.diff(served[np.argsort(policy)]) >= -1e-15).all()


def test_free_arms_to_which_the_policy_gives_nothing_share_equally():
    assert with_floors([1, 0, 0], fixed=[0.5, NAN, NAN]).tolist() == [0.5, 0.25, 0.25]
    assert with_floors([1, 0], fixed=[0.5, NAN]).tolist() == [0.5, 0.5]


def test_every_bandit_of_a_batch_gets_its_own_shares():
    served = with_floors([[1, 0], [1, 1], [0, 4]], 0.1)
    assert served == pytest.approx(np.array([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]]))


@pytest.mark.parametrize(
    ("policy", "floors", "fixed", "reason"),
    [
        pytest.param([0.5, 0.5], 0.6, None, "sum to 1.2, more than 1", id="floors"),
        pytest.param([0.5, 0.5], [0, 0.6], [0.5, NAN], "more than 1", id="floors and fixed"),
        pytest.param([0.5, 0.5], 0, [0.5, 0.4], "sum to 0.9, not 1", id="all fixed, short of 1"),
        pytest.param([0.5, 0.5], -0.1, None, "between 0 and 1", id="negative"),
        pytest.param([0.5, 0.5], NAN, None, "between 0 and 1", id="NaN floor"),
        pytest.param([0.5, 0.5], 0, [1.5, NAN], "between 0 and 1", id="above 1"),
        pytest.param([NAN, 0.5], 0, None, "finite", id="a policy's NaN"),
        pytest.param([-0.5, 1.5], 0, None, ">= 0", id="a policy's negative share"),
    ],
)
def test_what_does_not_fit_is_rejected(policy, floors, fixed, reason):
    with pytest.raises(ValueError, match=reason):
        with_floors(policy, floors, fixed)
