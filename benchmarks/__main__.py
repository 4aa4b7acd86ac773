"""Measure everything, or what is named: ``python -m benchmarks [--write] [question ...]``."""

import argparse
from collections.abc import Iterator

from benchmarks import report
from benchmarks.attachments import Attachment
from benchmarks.compute import batches, clv, mathematics, simulator
from benchmarks.delay import receptions, snapshots
from benchmarks.http import (
    assignments,
    cached_allocation,
    cold_allocation,
    dashboard,
    events,
    keys,
    long_uploads,
    ofrep,
    request_costs,
    uploads,
    workers,
)
from benchmarks.load import latency_curve, soak
from benchmarks.measurement import Measurement
from benchmarks.service import running_service

QUESTIONS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        mathematics,
        request_costs,
        cached_allocation,
        keys,
        cold_allocation,
        batches,
        uploads,
        long_uploads,
        assignments,
        ofrep,
        events,
        snapshots,
        receptions,
        simulator,
        clv,
        dashboard,
        latency_curve,
        workers,
        soak,
    )
}


def main() -> None:
    """Print a line per measurement as it comes, and the table of all of them in the end."""
    arguments = _arguments()
    results: dict[str, list[Measurement | Attachment]] = {}
    with running_service() as service:
        surroundings = report.surroundings(service)
        print(surroundings)
        for name in arguments.questions or QUESTIONS:
            module = QUESTIONS[name]
            question = (module.__doc__ or name).strip().splitlines()[0]
            print(f"\n{question}")
            results[question] = list(_printed(module.measure(service)))
    found = [
        measurement
        for measurements in results.values()
        for measurement in measurements
        if isinstance(measurement, Measurement)
    ]
    print(f"\n{report.table(found)}")
    if arguments.write:
        report.write(results, surroundings)
        print(f"\nwritten to docs/{report.PAGE.name}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/performance.md")
    parser.add_argument("questions", nargs="*", metavar="question", help=f"of {', '.join(QUESTIONS)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.questions) - set(QUESTIONS):
        parser.error(f"there is no question {', '.join(sorted(unknown))}; there are {', '.join(QUESTIONS)}")
    if arguments.write and arguments.questions:
        parser.error("--write takes a run of all questions")
    return arguments


def _printed(measurements: Iterator[Measurement | Attachment]) -> Iterator[Measurement | Attachment]:
    for measurement in measurements:
        print(measurement.line(), flush=True)
        yield measurement


if __name__ == "__main__":
    main()
