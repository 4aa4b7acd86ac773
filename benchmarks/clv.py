"""The telco race: seconds per policy and replication, and the memory it takes.

Run with ``python -m benchmarks.clv``: 365 days x 100,000 customers x 5 policies x 10 replications in this process.
"""

import resource
import sys
import time
from statistics import median

from app.simulation.clv.play import combined, play_block
from app.simulation.clv.race import Race
from app.simulation.clv.result import RaceResult
from benchmarks.figures import Figure, Target

REPEATS = 3
SECONDS = Target("<=", 0.15)
MEMORY = Target("<", 1024)


def timed_race(race: Race) -> tuple[float, float, RaceResult]:
    """Wall and processor seconds per policy and replication, the world's making included, and the result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = combined(race, [play_block(race, block) for block in range(race.blocks)])
    runs = len(race.policies) * race.replications
    return (time.perf_counter() - wall) / runs, (time.process_time() - processor) / runs, result


def repeated(race: Race) -> tuple[list[float], list[float], RaceResult]:
    """The same, several times."""
    turns = [timed_race(race) for _ in range(REPEATS)]
    return [turn[0] for turn in turns], [turn[1] for turn in turns], turns[-1][2]


def mebibytes() -> float:
    """The most memory this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Print the race's figures, then each policy's alone, with what it earned."""
    race = Race()
    wall, processor, result = repeated(race)
    what = "seconds per policy and replication, five policies"
    print(Figure(what, wall, SECONDS, f"processor {median(processor):.3f} s").line())
    for place, policy in enumerate(race.policies):
        wall, processor, _ = repeated(Race(policies=(policy,)))
        earned = f"{result.final(place).mean():,.0f} EUR, sd {result.final(place).std(ddof=1):,.0f}"
        kind = str(policy.described()["kind"])
        print(
            Figure(f"seconds, {kind}", wall, SECONDS, f"processor {median(processor):.3f} s; {earned}").line()
        )
    print(Figure("MiB at most", [mebibytes()], MEMORY).line())


if __name__ == "__main__":
    main()
