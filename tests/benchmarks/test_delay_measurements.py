"""What the delay's benchmarks send: reports that add up to what they say they measure."""

import datetime as dt
import os
import time
from itertools import groupby, pairwise
from operator import itemgetter

import pytest

from benchmarks import processes
from benchmarks.__main__ import QUESTIONS
from benchmarks.delay import receptions, snapshots
from benchmarks.sample_data import today


def test_make_bench_asks_both_questions():
    assert QUESTIONS["snapshots"] is snapshots
    assert QUESTIONS["receptions"] is receptions


@pytest.fixture(scope="module")
def history():
    return list(snapshots._history("e", snapshots.REPORTS))


def test_each_old_day_was_reported_thirty_times_with_ever_more_conversions(history):
    key = itemgetter("date", "variant_id")
    rows = sorted(history, key=itemgetter("date", "variant_id", "as_of"))
    assert len({(*key(row), row["as_of"]) for row in rows}) == len(rows)
    oldest = [
        list(group) for (date, _), group in groupby(rows, key) if date <= str(today() - dt.timedelta(30))
    ]
    assert len(oldest) == 20 * 971
    assert {len(group) for group in oldest} == {30}
    assert all(one["successes"] <= two["successes"] for group in oldest for one, two in pairwise(group))


def test_the_reports_in_force_are_those_of_the_experiment_reported_once(history):
    newest = {}
    for row in sorted(history, key=itemgetter("as_of")):
        newest[row["date"], row["variant_id"]] = row
    assert sorted(map(str, newest.values())) == sorted(map(str, snapshots._history("e", 1)))


def test_precise_processor_time_is_what_the_process_says_of_itself():

    before, own = processes.precise_processor_seconds([os.getpid()]), time.process_time()
    sum(number * number for number in range(2_000_000))
    spent = processes.precise_processor_seconds([os.getpid()]) - before
    assert 0 < spent <= (time.process_time() - own) * 1.5
