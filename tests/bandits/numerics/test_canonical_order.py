"""An order of the arms by their figures, and back."""

import numpy as np

from app.bandits.numerics.canonical_order import CanonicalOrder


def test_identical_arms_get_the_answer_of_the_first_of_them():
    order = CanonicalOrder(np.array([2.0, 1.0, 2.0]), np.array([5.0, 5.0, 5.0]))
    assert order.sorted(np.array([20.0, 10.0, 21.0])).tolist() == [10, 20, 21]
    assert order.restored(np.array([1.0, 2.0, 3.0])).tolist() == [2, 1, 2]


def test_arms_that_differ_in_any_key_keep_their_own_answers():
    order = CanonicalOrder(np.array([3.0, 2.0, 1.0, 3.0]), np.array([1.0, 1.0, 1.0, 2.0]))
    assert order.restored(np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [3, 2, 1, 4]


def test_each_bandit_has_an_order_of_its_own():
    order = CanonicalOrder(np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 1.0]]))
    assert order.restored(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).tolist() == [[1, 2, 2], [5, 5, 4]]
