"""P(best) by quadrature against 10,000 Monte Carlo draws, and many bandits at once.

Run with ``python -m benchmarks.best_arm``. Every line is a ratio within one run, so that machines compare.
"""

import time
from collections.abc import Callable

import numpy as np

from app.bandits.best_arm import best_arm
from app.bandits.beta import BetaArms
from app.bandits.totals import Totals

DRAWS = 10_000
REPEATS = 15
BANDITS = 2_000


def seconds(run: Callable[[], object]) -> float:
    """The wall time of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def spread(figures: list[float]) -> str:
    """Least / median / most."""
    return " / ".join(f"{figure:8.2f}" for figure in (min(figures), float(np.median(figures)), max(figures)))


def close_arms(k: int, rng: np.random.Generator) -> BetaArms:
    """Arms of about 12 % after 1,000 impressions each."""
    successes = rng.binomial(1000, rng.uniform(0.10, 0.14, k))
    return BetaArms.from_totals(Totals(np.full(k, 1000.0), successes.astype(np.float64)))


def compare(k: int, rng: np.random.Generator) -> str:
    """One line: the draws' time over the quadrature's, and the quadrature's milliseconds."""
    arms = close_arms(k, rng)
    best_arm(arms)
    repeats = REPEATS if k < 1000 else 5
    exact, ratios = [], []
    for _ in range(repeats):
        exact.append(seconds(lambda: best_arm(arms)))
        drawn = seconds(lambda: np.bincount(rng.beta(arms.a, arms.b, (DRAWS, k)).argmax(axis=1), minlength=k))
        ratios.append(drawn / exact[-1])
    return f"{k:5d}   {spread(ratios)}   {spread([1e3 * s for s in exact])}"


def many(rng: np.random.Generator) -> str:
    """Bandits per second at k = 5, in thousands."""
    rates = rng.uniform(0.10, 0.14, (BANDITS, 5))
    successes = rng.binomial(1000, rates)
    arms = BetaArms.from_totals(Totals(np.full(rates.shape, 1000.0), successes.astype(np.float64)))
    return spread([BANDITS / seconds(lambda: best_arm(arms)) / 1e3 for _ in range(REPEATS)])


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(1)
    print(
        f"{DRAWS:,} draws' time / quadrature's (more is better), and the quadrature's ms; min / median / max"
    )
    for k in (2, 5, 20, 100, 1000):
        print(compare(k, rng))
    print(f"{BANDITS:,} bandits of 5 arms at once, thousands per second: {many(rng)}")


if __name__ == "__main__":
    main()
