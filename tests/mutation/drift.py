"""How far a broken place of `product.py` moves the value objective's answers: `python -m tests.mutation.drift`.

Most of that module places nodes: another number of them gives the same integral within the error that is promised.
For those that no test notices, this says how far the probabilities move over 150 random bandits.
"""

# ruff: noqa: T201 - it speaks to a person

import argparse
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.best_arm.best_value_arm import best_value_arm
from app.bandits.posteriors import rate_times_value, value
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals
from tests.mutation.places import mutants

KINDS = (
    ((0, 15), (10, 400)),
    ((8, 18), (10, 4_000)),
    ((5, 300), (0, 25)),
    ((12, 16), (18, 22)),
    ((20, 3_000), (20, 30_000)),
    ((10, 60), (15, 60)),
    ((1, 5), (1, 30)),
)
"""From and up to how many successes and failures; the edges between two ways of placing nodes among them."""


def bandits(n: int = 150, seed: int = 0) -> list[tuple[bool, Totals]]:
    """Random bandits, each with whether an arm has fewer than ten successes or failures."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < n:
        k, (successes, failures) = int(rng.integers(2, 5)), KINDS[rng.integers(len(KINDS))]
        s, f = rng.integers(*successes, k), rng.integers(*failures, k)
        mean = rng.uniform(0.5, 2, k) * 10 ** rng.uniform(-3, 3)
        squares = s * mean**2 * (1 + 10 ** (2 * rng.uniform(-2, 1.2, k)))
        cost = None if rng.random() < 0.6 else rng.uniform(0, 0.3, k) * mean * (s + 1) / (s + f + 2)
        sign = -1 if rng.random() < 0.1 else 1
        if s.sum() > 0:
            uncertain = rng.random() >= 0.15
            totals = Totals(s + f, s, sign * s * mean, squares if uncertain else None, cost)
            found.append((bool(min(s.min(), f.min()) < 10), totals))
    return found


def answers(problems: list[tuple[bool, Totals]]) -> list[Floats]:
    """P(earns most) of every bandit; NaN where it cannot be had."""
    found = []
    for _, totals in problems:
        try:
            found.append(best_value_arm(ValueArms.from_totals(totals)).p_best)
        except (ArithmeticError, ValueError):
            found.append(np.full(totals.k, np.nan))
    return found


def broken(code: CodeType, problems: list[tuple[bool, Totals]]) -> list[Floats]:
    """The answers with a broken module."""
    names: dict[str, Any] = {"__name__": rate_times_value.__name__}
    exec(code, names)
    whole = value.ValuePerTrialPosterior
    value.ValuePerTrialPosterior = names["WorthPosterior"]
    try:
        with np.errstate(all="ignore"):
            return answers(problems)
    finally:
        value.ValuePerTrialPosterior = whole


def main() -> None:
    """Print for each place the largest move with many data, and with few."""
    parser = argparse.ArgumentParser("python -m tests.mutation.drift")
    parser.add_argument("lines", nargs="*", type=int, help="of product.py; all without")
    wanted = parser.parse_args().lines
    path, problems = Path(str(rate_times_value.__file__)), bandits()
    whole, few = answers(problems), np.array([few for few, _ in problems])
    for place, code in mutants(path.name, path.read_text(), str(path)):
        if not wanted or place.first in wanted:
            moved = [np.abs(a - b).max() for a, b in zip(broken(code, problems), whole, strict=True)]
            many, some = (np.max(np.array(moved)[part]) for part in (~few, few))
            print(f"{place}: {many:.0e} with many data, {some:.0e} with few", flush=True)


if __name__ == "__main__":
    main()
