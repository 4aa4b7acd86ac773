"""Compare the coverage of `make test` with that of all tests; `make coverage` runs it.

``python -m tests.support.reports.coverage quick marked``: each folder holds the data of one set of tests. A file
of app/ of which the quick set reaches more than two points less than all tests do, in lines or in branches, must
be one of ``SYSTEM_ONLY``.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from coverage import Coverage

ALLOWED_POINTS = 2.0
SYSTEM_ONLY = {
    "app/__main__.py": "starts the command in a process",
    "app/bandits/policies/plugins.py": "loads what an installed package names",
    "app/observability/logs.py": "sets the log of a whole process",
    "app/observability/middleware.py": "a client that leaves, over a connection",
    "app/server/launcher.py": "starts and stops the service",
    "app/server/slow_client_protocol.py": "works on connections",
    "app/server/web_server.py": "runs the server and its workers",
    "app/storage/batched_statement.py": "connections that are cut",
    "app/storage/embedded/home.py": "starts PostgreSQL, as several accounts",
    "app/storage/embedded/locks.py": "locks between processes",
    "app/storage/embedded/server.py": "starts and stops PostgreSQL",
}
"""Files that only tests with processes reach as a whole, and why."""


class Reached(NamedTuple):
    """Which part of a file's lines and branches was reached, in percent."""

    lines: float
    branches: float


def reached(*folders: Path) -> dict[str, Reached]:
    """Return what the tests whose data lie in some folders reach of each file."""
    coverage = Coverage(data_file=None)
    data = [str(path) for folder in folders for path in sorted(folder.iterdir())]
    coverage.combine(data, keep=True)
    files = coverage.get_data().measured_files()
    return {str(Path(file).relative_to(Path.cwd())): of_file(coverage, file) for file in sorted(files)}


def of_file(coverage: Coverage, file: str) -> Reached:
    numbers = coverage._analyze(file).numbers  # coverage.py has no public call for one file's branches
    lines = percent(numbers.n_executed, numbers.n_statements)
    return Reached(lines, percent(numbers.n_executed_branches, numbers.n_branches))


def percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def differing(quick: dict[str, Reached], full: dict[str, Reached]) -> dict[str, tuple[Reached, Reached]]:
    """Return the files of which the quick set reaches clearly less, with what both reach."""
    nothing = Reached(0, 0)
    pairs = {file: (quick.get(file, nothing), all_) for file, all_ in full.items()}
    return {
        file: (few, all_)
        for file, (few, all_) in pairs.items()
        if max(all_.lines - few.lines, all_.branches - few.branches) > ALLOWED_POINTS
    }


def table(found: dict[str, tuple[Reached, Reached]]) -> str:
    rows = [
        f"| {file} | {few.lines:.1f} | {all_.lines:.1f} | {few.branches:.1f} | {all_.branches:.1f} |"
        f" {SYSTEM_ONLY.get(file, '**not named**')} |"
        for file, (few, all_) in found.items()
    ]
    head = "| file | lines, quick | lines, all | branches, quick | branches, all | why |"
    return "\n".join([head, "|---|--:|--:|--:|--:|---|", *rows])


if __name__ == "__main__":
    quick_folder, marked_folder = map(Path, sys.argv[1:])
    found = differing(reached(quick_folder), reached(quick_folder, marked_folder))
    print(table(found))  # noqa: T201
    if unnamed := sorted(found.keys() - SYSTEM_ONLY.keys()):
        sys.exit(f"the quick set reaches too little of {', '.join(unnamed)}")
