import math

import numpy as np
import pytest
from scipy import stats

from app.bandits.posteriors.student_t import EXPANSION_FROM, student_t_quantile


@pytest.mark.parametrize("level", [0.3, 0.5, 0.95, 0.999])
def test_quantiles_of_student_t_are_scipys(level):
    freedom = np.array([[1, 1.5, 2, 7.3], [30, 1e4, 0.99 * EXPANSION_FROM, 1e9]])
    expected = stats.t.ppf((1 + level) / 2, freedom)
    assert student_t_quantile(freedom, level) == pytest.approx(expected, rel=1e-10)


def test_one_and_two_degrees_of_freedom_have_closed_forms():
    found = student_t_quantile([1, 2], 0.95)
    expected = [math.tan(0.475 * math.pi), 0.95 * math.sqrt(2 / (4 * 0.975 * 0.025))]
    assert found == pytest.approx(expected, rel=1e-11)


def test_the_quantile_is_continuous_where_the_expansion_begins():
    below, above = student_t_quantile([EXPANSION_FROM * (1 - 1e-9), EXPANSION_FROM], 0.95)
    assert below == pytest.approx(above, rel=1e-10)


def test_an_unknown_freedom_has_no_quantile():
    assert np.isnan(student_t_quantile(math.nan, 0.95))


@pytest.mark.parametrize("level", [0, 1, -0.1, math.nan])
def test_a_level_outside_its_range_is_rejected(level):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        student_t_quantile(3, level)
