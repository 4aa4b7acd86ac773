"""The stateless draw: its golden vectors, its shares, and how few units a change of shares moves."""

import functools
import json
import math

import pytest
from scipy.stats import chisquare

from app.services.assignments.rendezvous_hashing import is_held_out, pick_variant
from tests.support.golden import rendezvous as golden

CASES = json.loads(golden.FILE.read_text())
UNITS = [f"fresh-{number}" for number in range(50_000)]
BEFORE = {"control": 20.0, "a": 20.0, "b": 20.0, "c": 20.0, "d": 20.0}
AFTER = {"control": 10.0, "a": 5.0, "b": 15.0, "c": 20.0, "d": 50.0}


def test_the_golden_vectors_are_what_their_definition_says():
    assert golden.FILE.read_text() == golden.text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['experiment_id']}/{case['unit_id'][:20]!a}")
def test_draws_are_the_golden_ones(case):
    ids = case["salt"], case["experiment_id"], case["unit_id"]
    assert pick_variant(*ids, case["shares"]) == case["variant_id"]
    assert {p: is_held_out(*ids, float(p)) for p in case["held_out"]} == case["held_out"]


@pytest.mark.parametrize("shares", [BEFORE, AFTER, {"control": 1.0, "a": 0.0, "b": 99.0}])
def test_shares_of_50_000_fresh_units_match(shares):
    drawn = [pick_variant("", "fresh", unit, shares) for unit in UNITS]
    wanted = {variant: share for variant, share in shares.items() if share > 0}
    counted = [drawn.count(variant) for variant in wanted]
    assert sum(counted) == len(UNITS)
    assert chisquare(counted, [share * len(UNITS) / 100 for share in wanted.values()]).pvalue > 0.001


CHANGES = [
    pytest.param(BEFORE, {"control": 10.0, "a": 12.0, "b": 13.0, "c": 15.0, "d": 50.0}, id="one wins"),
    pytest.param(
        {"control": 10.0, "a": 20.0, "b": 30.0, "c": 25.0, "d": 15.0},
        {"control": 5.0, "a": 12.0, "b": 20.0, "c": 18.0, "d": 45.0},
        id="one wins from behind",
    ),
]


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_change_of_shares_moves_at_most_1_12_times_the_fewest_units_possible(before, after):
    fewest = sum(max(after[variant] - before[variant], 0) for variant in after) / 100
    assert _moved(before, after) <= 1.12 * fewest * len(UNITS)


@pytest.mark.parametrize(("before", "after"), [*CHANGES, pytest.param(BEFORE, AFTER, id="uneven losses")])
def test_a_change_of_shares_moves_the_units_its_formula_says(before, after):
    moving = 1 - sum(1 / sum(max(before[j] / before[i], after[j] / after[i]) for j in after) for i in after)
    four_errors = 4 * math.sqrt(len(UNITS) * moving * (1 - moving))
    assert _moved(before, after) == pytest.approx(moving * len(UNITS), abs=four_errors)


@functools.cache
def _drawn(shares):
    return [pick_variant("", "moving", unit, dict(shares)) for unit in UNITS]


def _moved(before, after):
    pairs = zip(_drawn(tuple(before.items())), _drawn(tuple(after.items())), strict=True)
    return sum(variant != other for variant, other in pairs)


def test_a_new_variant_takes_units_from_all_and_moves_nobody_between_the_others():
    with_new = {**{variant: 0.9 * share for variant, share in BEFORE.items()}, "new": 10.0}
    for unit in UNITS[:5_000]:
        after = pick_variant("", "growing", unit, with_new)
        assert after in {"new", pick_variant("", "growing", unit, BEFORE)}


def test_the_hold_out_has_its_percent_and_the_same_shares_as_everyone():
    held = [unit for unit in UNITS if is_held_out("", "held", unit, 10.0)]
    assert chisquare([len(held), len(UNITS) - len(held)], [5_000, 45_000]).pvalue > 0.001
    drawn = [pick_variant("", "held", unit, BEFORE) for unit in held]
    assert chisquare([drawn.count(variant) for variant in BEFORE]).pvalue > 0.001


def test_a_growing_hold_out_keeps_its_units():
    held = {unit for unit in UNITS[:2_000] if is_held_out("", "held", unit, 5.0)}
    assert held <= {unit for unit in UNITS[:2_000] if is_held_out("", "held", unit, 20.0)}
