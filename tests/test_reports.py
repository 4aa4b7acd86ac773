"""The tables out of reports of test runs."""

import pytest

from tests.support.reports import coverage, durations
from tests.support.reports.coverage import Reached

REPORT = """<testsuites><testsuite name="pytest" time="3.5">
<testcase classname="tests.bandits.test_totals" name="test_a" time="0.5" />
<testcase classname="tests.bandits.test_totals" name="test_b[x|y]" time="2.25" />
</testsuite></testsuites>"""


def test_durations_are_shown_by_folder_and_by_test_the_longest_first(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    page = durations.page([durations.read("test", report)])
    assert "| `make test` | 2 | 2.8 | 3.5 |" in page
    assert "| tests/bandits | 2.8 |" in page
    assert page.index("| test_b[x/y] (test_totals.py) | 2.2 |") < page.index(
        "| test_a (test_totals.py) | 0.5 |"
    )


@pytest.mark.parametrize(
    ("quick", "differs"),
    [
        (Reached(98.0, 90.0), False),
        (Reached(97.9, 90.0), True),
        (Reached(100.0, 87.9), True),
    ],
)
def test_a_file_differs_where_the_quick_tests_reach_two_points_less_of_lines_or_branches(quick, differs):
    found = coverage.differing({"app/x.py": quick}, {"app/x.py": Reached(100.0, 90.0)})
    assert bool(found) == differs


def test_a_file_that_the_quick_tests_never_reach_differs():
    assert coverage.differing({}, {"app/x.py": Reached(50.0, 100.0)}) != {}


def test_a_file_that_is_not_named_stands_out_in_the_table():
    found = coverage.differing({}, {"app/x.py": Reached(50.0, 100.0)})
    assert "| app/x.py | 0.0 | 50.0 | 0.0 | 100.0 | **not named** |" in coverage.table(found)
