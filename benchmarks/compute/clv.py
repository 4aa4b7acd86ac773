"""The telco race: seconds per policy and replication, and the memory it takes.

365 days x 100,000 customers x 5 policies x 10 replications in a process of their own, the world's making included;
run alone with ``python -m benchmarks.compute.clv``, which also tells each policy's part.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from statistics import median
from typing import Any

from app.simulation.clv import Race, RaceResult, combined, play_block
from benchmarks.measurement import Measurement, Target

REPEATS = 3
SECONDS = Target("<=", 0.15)
MEMORY = Target("<", 1024)


def measure(_: Any = None) -> Iterator[Measurement]:
    """Yield the seconds per policy and replication and the most memory, of a process that does nothing else."""
    command = [sys.executable, "-m", "benchmarks.compute.clv", "--race"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    yield from (
        Measurement(**measurement | {"target": Target(**measurement["target"])})
        for measurement in json.loads(said)
    )


def race_measurements() -> list[Measurement]:
    """The race of the five, here."""
    wall, processor, _ = repeated(Race())
    beside = f"processor {median(processor):.3f} s"
    return [
        Measurement("telco race of five policies: seconds per policy and replication", wall, SECONDS, beside),
        Measurement("telco race of five policies: MiB at most", [mebibytes()], MEMORY),
    ]


def policy_measurements() -> Iterator[Measurement]:
    """Each policy's seconds alone, and what it earned."""
    for policy in Race().policies:
        wall, processor, result = repeated(Race(policies=(policy,)))
        final, kind = result.final(0), policy.described()["kind"]
        beside = f"processor {median(processor):.3f} s; {final.mean():,.0f} EUR, sd {final.std(ddof=1):,.0f}"
        yield Measurement(f"telco race, {kind} alone: seconds per replication", wall, SECONDS, beside)


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
    """Print the race's measurements and each policy's; with --race only the race's, as JSON."""
    if sys.argv[1:] == ["--race"]:
        print(json.dumps([asdict(measurement) for measurement in race_measurements()]))
        return
    for measurement in (*race_measurements(), *policy_measurements()):
        print(measurement.line(), flush=True)


if __name__ == "__main__":
    main()
