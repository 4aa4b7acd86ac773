"""Measure everything, or what is named: ``python -m benchmarks [--write] [question ...]``."""

import argparse
from collections.abc import Iterator

from benchmarks import (
    assignments,
    batches,
    changed,
    clv,
    dashboard,
    events,
    keys,
    long_uploads,
    mathematics,
    ofrep,
    page,
    simulator,
    unchanged,
    uploads,
    workers,
)
from benchmarks.exhibits import Exhibit
from benchmarks.figures import Figure
from benchmarks.load import curve, soak
from benchmarks.service import running_service

QUESTIONS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        mathematics,
        unchanged,
        keys,
        changed,
        batches,
        uploads,
        long_uploads,
        assignments,
        ofrep,
        events,
        simulator,
        clv,
        dashboard,
        curve,
        workers,
        soak,
    )
}


def main() -> None:
    """Print a line per figure as it comes, and the table of all of them in the end."""
    arguments = _arguments()
    results: dict[str, list[Figure | Exhibit]] = {}
    with running_service() as service:
        surroundings = page.surroundings(service)
        print(surroundings)
        for name in arguments.questions or QUESTIONS:
            module = QUESTIONS[name]
            question = (module.__doc__ or name).strip().splitlines()[0]
            print(f"\n{question}")
            results[question] = list(_printed(module.measure(service)))
    found = [figure for figures in results.values() for figure in figures if isinstance(figure, Figure)]
    print(f"\n{page.table(found)}")
    if arguments.write:
        page.write(results, surroundings)
        print(f"\nwritten to docs/{page.PAGE.name}")


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


def _printed(figures: Iterator[Figure | Exhibit]) -> Iterator[Figure | Exhibit]:
    for figure in figures:
        print(figure.line(), flush=True)
        yield figure


if __name__ == "__main__":
    main()
