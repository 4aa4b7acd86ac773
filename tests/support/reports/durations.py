"""Write docs/reference/test-durations.md: ``python -m tests.support.reports.durations quick.xml marked.xml``.

The reports are pytest's ``--junitxml`` of `make test` and `make test-marked`.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, parse

from tests.support import ROOT

PAGE = ROOT / "docs" / "reference" / "test-durations.md"
GOALS = ("test", "test-marked")
FOLDERS_SHOWN, TESTS_SHOWN = 12, 12
HEAD = """# Durations of the tests

Seconds of the tests themselves, summed over pytest's workers; the start of the workers and of their databases
comes on top. Written by `make durations` from the last `make test test-marked`.
"""


class Run(NamedTuple):
    """One run of tests, and the seconds of each by its name."""

    goal: str
    wall: float
    seconds: dict[str, float]


def read(goal: str, report: Path) -> Run:
    """Read one of pytest's JUnit reports."""
    suites = list(parse(report).getroot().iter("testsuite"))
    cases = [case for suite in suites for case in suite.iter("testcase")]
    return Run(
        goal,
        sum(float(suite.get("time", 0)) for suite in suites),
        {name(c): float(c.get("time", 0)) for c in cases},
    )


def name(case: Element) -> str:
    """Return ``tests/folder/test_file.py::test_name``."""
    module = case.get("classname", "").replace(".", "/")
    return f"{module}.py::{case.get('name')}"


def page(runs: list[Run]) -> str:
    totals = [(f"`make {run.goal}`", len(run.seconds), sum(run.seconds.values()), run.wall) for run in runs]
    return "\n".join([
        HEAD,
        table(("Goal", "Tests", "Seconds of tests", "Seconds on the clock"), totals),
        *(part for run in runs for part in slowest(run)),
    ])  # fmt: skip


def slowest(run: Run) -> list[str]:
    """Return the tables of the folders and tests of a run that take longest."""
    folders: Counter[str] = Counter()
    for test, seconds in run.seconds.items():
        folders[str(Path(test.partition("::")[0]).parent)] += seconds
    tests = Counter(run.seconds)
    return [
        f"## `make {run.goal}`\n",
        table(("Folder", "Seconds"), folders.most_common(FOLDERS_SHOWN)),
        table(("Test", "Seconds"), [(shown(t), s) for t, s in tests.most_common(TESTS_SHOWN)]),
    ]


def shown(test: str) -> str:
    path, _, called = test.partition("::")
    return f"{called.replace('|', '/')} ({Path(path).name})"


def table(heads: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1), *([cell(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(value: object) -> str:
    return (
        f"{value:,.1f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


if __name__ == "__main__":
    PAGE.write_text(page([read(goal, Path(path)) for goal, path in zip(GOALS, sys.argv[1:], strict=True)]))
