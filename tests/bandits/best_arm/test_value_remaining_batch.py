"""The value remaining of many bandits at once."""

import numpy as np
import pytest

from app.bandits.best_arm.best_arm import p_value_remaining
from app.bandits.best_arm.value_remaining import p_champions_beaten
from app.bandits.posteriors.beta import BetaArms


@pytest.mark.parametrize("v", [0.0, 0.01, 2.0])
@pytest.mark.parametrize("k", [2, 5])
def test_many_rows_get_what_each_gets_alone(k, v):
    rng = np.random.default_rng(k)
    successes = rng.binomial(10 ** rng.integers(0, 5, (300, k)), rng.uniform(0.01, 0.99, (300, 1)))
    arms = BetaArms(1.0 + successes, 1.0 + rng.integers(0, 10_000, (300, k)))
    champion = rng.integers(0, k, 300)
    some = range(0, 300, 13)
    alone = [p_value_remaining(BetaArms(arms.a[i], arms.b[i]), v, int(champion[i])) for i in some]
    np.testing.assert_allclose(p_champions_beaten(arms, champion, v)[some], alone, rtol=0, atol=1e-9)


def test_three_arms_in_three_rows_get_what_each_gets_alone():
    a = np.array([[12.0, 15, 13], [120, 150, 160], [3, 1, 2]])
    b = np.array([[90.0, 85, 87], [900, 850, 870], [4, 9, 5]])
    found = p_champions_beaten(BetaArms(a, b), np.array([1, 2, 0]), 0.1)
    alone = [p_value_remaining(BetaArms(a[i], b[i]), 0.1, c) for i, c in enumerate((1, 2, 0))]
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-9)
