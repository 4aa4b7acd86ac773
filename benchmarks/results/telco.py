"""The telco world: the race beside the original's values."""

from typing import Any

from app.simulation.replication_statistics import half_width, ratio
from benchmarks.results.measured import Measured
from benchmarks.results.text import mean_of, singles, table, with_interval

ORIGINAL_RUNS = 10

ORIGINAL_CLV = {  # mean and standard deviation over 10 runs, EUR
    "random_crayfish": (107_433, 13_688),
    "epsilon_ringtail": (415_979, 30_839),
    "bayesian_groundhog": (512_334, 33_418),
    "segment_junglefowl": (268_260, None),
}

RACERS = {
    "random_crayfish": "RandomCrayfish (uniform)",
    "segment_junglefowl": "SegmentJunglefowl (a marketing department)",
    "epsilon_ringtail": "EpsilonRingtail (epsilon-greedy 0.2)",
    "bayesian_groundhog": "BayesianGroundhog (Thompson on value)",
    "contextual_groundhog": "ContextualGroundhog (the same per current product, pooled)",
}

ORIGINAL_BEST_ACTION = 526_644


def place(measured: Measured, kind: str) -> int:
    """Where a policy stands in the race."""
    kinds = [policy.described()["kind"] for policy in measured.telco.race.policies]
    return kinds.index(kind)


def against(measured: Measured, kind: str, yardstick: str) -> str:
    """A policy's delta CLV over another's on the same outcomes."""
    finals = (measured.telco.final(place(measured, one)) for one in (kind, yardstick))
    found: Any = ratio(*finals)
    return with_interval(found["mean"], found["interval_95"], "{:.2f}")


def race_table(measured: Measured) -> str:
    """Every policy of the race beside the original's values."""
    head = (
        "Policy",
        "Delta CLV, EUR",
        "95 % of single runs",
        "Times random",
        "Of the best single action",
        "Cost of contacts, EUR",
        "The original's delta CLV, EUR",
        "The original's times random",
    )
    best = measured.telco.to_dict()["enumeration"]["best_single_action"]["delta_clv"]
    rows = []
    for kind, name in RACERS.items():
        at = place(measured, kind)
        final, cost = measured.telco.final(at), measured.telco.booked[at].cost
        rows.append(
            (
                name,
                mean_of(final),
                singles(final, "{:,.0f}"),
                "1 by definition"
                if kind == "random_crayfish"
                else against(measured, kind, "random_crayfish"),
                mean_of(final / best, "{:.2f}"),
                mean_of(cost),
                *original(kind),
            )
        )
    return table(head, rows)


def original(kind: str) -> tuple[str, str]:
    """What was known of the original's: delta CLV and ratio to random, with what can be said of their error."""
    if kind not in ORIGINAL_CLV:
        return "it had none", "-"
    mean, sd = ORIGINAL_CLV[kind]
    times = f"{mean / ORIGINAL_CLV['random_crayfish'][0]:.2f}"
    if sd is None:
        return f"{mean:,} (spread not known)", times
    reach = half_width(sd, ORIGINAL_RUNS)
    return with_interval(mean, (mean - reach, mean + reach)), times


def known(measured: Measured) -> str:
    """The exact expectations of the telco world, in words."""
    exact = measured.telco.to_dict()["enumeration"]
    uniform, best, oracle = exact["uniform"], exact["best_single_action"], exact["oracle"]
    return (
        f"Exactly enumerated in this world: uniform {uniform:,.0f} EUR; best single action ({best['arm']})\n"
        f"{best['delta_clv']:,.0f}, {best['delta_clv'] / uniform:.2f} x uniform; the best action for each "
        f"customer {oracle:,.0f}, {oracle / uniform:.2f} x; {100 * exact['able_to_buy']:.1f} % of the base\n"
        f"can ever buy. In the original's world the best single action was worth {ORIGINAL_BEST_ACTION:,} "
        "(5.25 x uniform)."
    )
