"""Sums of whole histories decide what the days one by one decide, to the byte."""

import datetime as dt
import itertools

import pytest

from app.services.allocations import response
from app.services.allocations.inputs.decision_inputs import read_inputs
from app.services.experiments import settings_history
from tests.support.experiments import create
from tests.support.totals import post, total

DATES = [dt.date(2026, 3, day) for day in (2, 6, 11)]
EVERY_DAY = [f"2026-03-{day:02d}" for day in range(1, 11)]


def on(variant_id, dates, successes=100, impressions=1000):
    return [total(variant_id, date, impressions + i, successes + i) for i, date in enumerate(dates)]


HISTORIES = {
    "every day": ([*on("a", EVERY_DAY), *on("b", EVERY_DAY, 90)], True),
    "one joins later": ([*on("a", EVERY_DAY), *on("b", EVERY_DAY[4:], 90)], True),
    "one never reports": (on("a", EVERY_DAY), True),
    "a day of nothing": ([*on("a", EVERY_DAY), *on("b", EVERY_DAY[:1], 0, 0), *on("b", EVERY_DAY[1:])], True),
    "one missed a day": ([*on("a", EVERY_DAY), *on("b", EVERY_DAY[:3] + EVERY_DAY[4:], 90)], False),
    "one is late": ([*on("a", EVERY_DAY), *on("b", EVERY_DAY[:-2], 90)], False),
    "a day off for all": ([*on("a", EVERY_DAY[1::2]), *on("b", EVERY_DAY[1::2], 90)], False),
    "impossible": ([*on("a", EVERY_DAY), *on("b", EVERY_DAY, 200, 150)], False),
}  # fmt: skip


def inputs_of(client, dates=DATES):
    """The inputs of some dates, by sums and day by day."""
    with client.app.state.database.transaction() as session:
        history = settings_history.read_settings_history(session, "homepage")
        for date, summed in itertools.product(dates, (True, False)):
            yield date, read_inputs(session, "homepage", history, date, summed=summed)


def answered(client, dates=DATES):
    """The answers to some dates by sums, and day by day."""
    found = [
        (allocation.to_json(), digest)
        for _, inputs in inputs_of(client, dates)
        for allocation, digest in [response.build_response(inputs, None, recorded=False)]
    ]
    return found[::2], found[1::2]


def summed_at_last(client):
    """Say whether the last date is decided by sums."""
    _, inputs = next(inputs_of(client, DATES[-1:]))
    return inputs.all_days.summed_days is not None


@pytest.mark.parametrize(("history", "summed"), HISTORIES.values(), ids=HISTORIES)
def test_sums_decide_what_the_days_decide(client, history, summed):
    create(client, "a", "b", late_conversions=True)
    post(client, *history)
    by_sums, by_days = answered(client)
    assert by_sums == by_days
    assert summed_at_last(client) == summed


def test_sums_leave_unripe_days_out(client):
    create(client, "a", "b", maturity_days=2)
    post(client, *on("a", EVERY_DAY), *on("b", EVERY_DAY[:-2], 90))
    by_sums, by_days = answered(client)
    assert by_sums == by_days
    assert summed_at_last(client)


def test_sums_of_nothing_are_nothing(client):
    create(client, "a", "b")
    by_sums, by_days = answered(client, DATES[-1:])
    assert by_sums == by_days


def test_a_variant_first_heard_of_on_the_date_itself_is_known_to_sums(client):
    create(client)
    post(client, *on("a", EVERY_DAY), *on("b", EVERY_DAY[-2:]))
    by_sums, by_days = answered(client)
    assert by_sums == by_days


def test_a_retired_variant_that_stopped_reporting_leaves_no_gap(client):
    create(client, "a", "b", "c")
    post(client, *on("a", EVERY_DAY), *on("b", EVERY_DAY), *on("c", EVERY_DAY[:9]))
    client.patch("/experiments/homepage/variants/c", json={"retired_on": "2026-03-10"})
    by_sums, by_days = answered(client)
    assert by_sums == by_days
    assert summed_at_last(client)


@pytest.mark.parametrize(
    "chosen",
    [
        {"window_days": 3},
        {"half_life_days": 2},
        {"adjust": "day"},
        {"objective": "value", "currency": "EUR", "policy": {"kind": "value_thompson"}},
        {"traffic": "per_request"},
    ],
    ids=lambda chosen: next(iter(chosen)),
)
def test_where_days_do_not_count_alike_they_are_read_one_by_one(client, chosen):
    create(client, "a", "b", **chosen)
    post(client, *on("a", EVERY_DAY), *on("b", EVERY_DAY))
    assert all(inputs.all_days.summed_days is None for _, inputs in inputs_of(client))


def on_their_way(variant_id, rate):
    """Reports of each day through the 9th, of whose conversions half come at once and the others in two days."""
    return [
        total(variant_id, date, 1000 + day, rate * (2 + min(age, 2)) // 4, as_of=f"2026-03-{day + age:02d}")
        for day, date in enumerate(EVERY_DAY[:9], 1)
        for age in range(10 - day)
    ]


@pytest.mark.parametrize(
    "delay", ["auto", {"kind": "curve", "fractions": [0.3, 0.7, 1.0]}], ids=["auto", "curve"]
)
def test_sums_by_age_decide_what_the_days_decide_where_conversions_are_on_their_way(client, delay):
    create(client, "a", "b", delay=delay)
    post(client, *on_their_way("a", 101), *on_their_way("b", 137))
    by_sums, by_days = answered(client)
    assert by_sums == by_days
    assert summed_at_last(client)


def test_sums_by_age_decide_what_the_days_decide_once_all_conversions_have_come(client):
    create(client, "a", "b", delay={"kind": "curve", "fractions": [0.3, 0.7, 1.0]})
    mature = {f"2026-03-{day:02d}" for day in range(1, 8)}
    rows = [*on_their_way("a", 101), *on_their_way("b", 137)]
    post(client, *(row for row in rows if row["date"] in mature))
    by_sums, by_days = answered(client)
    assert by_sums == by_days
    assert summed_at_last(client)
