"""Local draws are the service's own: one file of golden vectors is read by both."""

import pytest

from client_testing.service import golden_draws
from groundhog_client import draw, is_held_out

CASES = golden_draws()


def test_every_golden_draw_is_repeated():
    for case in CASES:
        place = case["salt"], case["experiment_id"], case["unit_id"]
        assert draw(*place, case["shares"]) == case["variant_id"], case
        held = {percent: is_held_out(*place, float(percent)) for percent in case["held_out"]}
        assert held == case["held_out"], case
    assert len(CASES) > 100


def test_shares_of_nothing_draw_nobody():
    with pytest.raises(ValueError):
        draw("", "checkout", "user-42", {"control": 0.0})
