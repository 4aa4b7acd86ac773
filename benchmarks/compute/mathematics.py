"""P(best) by quadrature: its error, its time against Monte Carlo draws, many bandits at once, and by value."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from app.bandits.best_arm.best_arm import best_arm
from app.bandits.best_arm.best_value_arm import best_value_arm
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals
from benchmarks.measurement import Measurement, Target, milliseconds, timed
from benchmarks.service import Service

REFERENCES = Path(__file__).resolve().parents[3] / "shared" / "reference" / "best_arm_cases.json"
REPEATS = 15
DRAWS = 10_000
BANDITS = 2_000


def measure(_: Service) -> Iterator[Measurement]:
    """Yield the error on 28-digit references, the time against draws, and the rate for many bandits."""
    if REFERENCES.exists():
        yield _error()
    else:
        print("  error of P(best): skipped, the 28-digit references are not beside this clone")
    for k in (2, 5, 20, 100, 1000):
        yield _against_draws(k)
    yield _many()
    yield _by_value()


def _error() -> Measurement:
    errors = []
    for case in json.loads(REFERENCES.read_text())["cases"]:
        counts = [arm["count"] for arm in case["arms"]]
        a, b, p_best = (
            np.repeat(np.array(column, dtype=float), counts)
            for column in (
                [arm["a"] for arm in case["arms"]],
                [arm["b"] for arm in case["arms"]],
                case["p_best"],
            )
        )
        errors.append(float(np.abs(best_arm(BetaArms(a, b)).p_best - p_best).max()))
    return Measurement(
        "P(best): largest error against 28-digit references",
        [max(errors)],
        Target("<=", 1e-12),
        f"{len(errors)} cases",
    )


def _against_draws(k: int) -> Measurement:
    rng = np.random.default_rng(k)
    arms = close_arms(k, rng)
    best_arm(arms)
    exact, drawn = [], []
    for _ in range(REPEATS if k < 1000 else 5):
        exact.append(timed(lambda: best_arm(arms)))
        drawn.append(timed(lambda: _p_best_by_draws(arms, rng)))
    ratios = [one / other for one, other in zip(exact, drawn, strict=True)]
    return Measurement(
        f"P(best), k = {k}: time / time of {DRAWS:,} draws",
        ratios,
        Target("<", 1),
        f"{milliseconds(exact)} against {milliseconds(drawn)}",
    )


def _p_best_by_draws(arms: BetaArms, rng: np.random.Generator) -> object:
    return np.bincount(rng.beta(arms.a, arms.b, (DRAWS, arms.k)).argmax(axis=1), minlength=arms.k) / DRAWS


def _many() -> Measurement:
    rng = np.random.default_rng(5)
    successes = rng.binomial(1000, rng.uniform(0.10, 0.14, (BANDITS, 5)))
    arms = BetaArms(1.0 + successes, 1001.0 - successes)
    times = [timed(lambda: best_arm(arms)) for _ in range(REPEATS)]
    return Measurement(
        "P(best), k = 5, batched: bandits/s",
        [BANDITS / seconds for seconds in times],
        Target(">=", 10_000),
        f"{BANDITS:,} in {milliseconds(times)}",
    )


def _by_value() -> Measurement:
    rng = np.random.default_rng(20)
    trials = np.full(20, 10_000.0)
    successes = rng.binomial(10_000, rng.uniform(0.10, 0.12, 20)).astype(float)
    value = successes * rng.uniform(20, 22, 20)
    totals = Totals(trials, successes, value, value**2 / successes * 1.5)
    times = [timed(lambda: best_value_arm(ValueArms.from_totals(totals))) for _ in range(REPEATS)]
    return Measurement(
        "P(earns most), k = 20, with the value's uncertainty: ms",
        [1e3 * seconds for seconds in times],
        Target("<=", 10),
    )


def close_arms(k: int, rng: np.random.Generator) -> BetaArms:
    """Return arms of about 12 % after 1,000 impressions each."""
    successes = rng.binomial(1000, rng.uniform(0.10, 0.14, k))
    return BetaArms(1.0 + successes, 1001.0 - successes)
