"""Advice to stop counts days of the experiment, which go on while the policy gives a worse variant nothing."""

import datetime as dt

import pytest

from app.services.allocations.inputs.decision_inputs import read_inputs
from app.services.experiments import settings_history
from tests.support.experiments import allocation, create
from tests.support.totals import post, total

FIRST = [total("a", "2024-01-01", 2000, 100), total("b", "2024-01-01", 2000, 200)]
LATER = [f"2024-01-{day:02d}" for day in range(2, 21)]
OF_B = [total("b", day, 4000, 400) for day in LATER]
ZERO_ROWS = [total("a", day, 0, 0) for day in LATER]


@pytest.mark.parametrize("rows", [ZERO_ROWS, []], ids=["rows of zero", "no rows"])
def test_a_variant_that_gets_nothing_does_not_hold_the_advice_back(client, clock, rows):
    """a 100 in 2,000 and b 200 in 2,000 on the first day, then 19 days of b alone."""
    clock.now = dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)
    create(client, "a", "b")
    post(client, *FIRST)
    assert allocation(client)["allocations"]["a"] == 0
    clock.pass_days(19)
    post(client, *OF_B, *rows)
    advice = allocation(client, "2024-01-21")["stop_advice"]
    assert (advice["days"], advice["stop"], advice["variant_id"]) == (20, True, "b")


def test_the_advice_comes_on_the_day_that_a_plan_of_the_same_world_names(client):
    create(client, "a", "b")
    post(client, *FIRST, *OF_B, *ZERO_ROWS)
    world = {"rates": [0.05, 0.1], "traffic": 4000, "days": 30, "replications": 20}
    planned = client.post("/plans", json=world).json()["median_day"]
    assert planned == 14
    before, after = (allocation(client, day)["stop_advice"] for day in ("2024-01-14", "2024-01-15"))
    assert (before["days"], before["stop"]) == (planned - 1, False)
    assert (after["days"], after["stop"]) == (planned, True)


def test_days_before_a_variant_joined_do_not_count(client):
    create(client, "a", "b")
    post(client, *OF_B, *[total("a", day, 2000, 100) for day in LATER[-3:]])
    assert allocation(client, "2024-01-21")["stop_advice"]["days"] == 3


def test_days_before_the_window_count(client):
    create(client, "a", "b", window_days=5, min_share=5)
    post(client, *FIRST, *OF_B, *[total("a", day, 200, 10) for day in LATER])
    assert allocation(client, "2024-01-21")["stop_advice"]["days"] == 20


@pytest.mark.parametrize("gaps", [ZERO_ROWS, ZERO_ROWS[3:5]], ids=["to the end", "in between"])
def test_sums_know_the_days_with_impressions(client, gaps):
    create(client, "a", "b")
    empty = {row["date"] for row in gaps}
    post(client, *FIRST, *OF_B, *gaps, *[total("a", day, 9, 1) for day in LATER if day not in empty])
    with client.app.state.database.transaction() as session:
        history = settings_history.read_settings_history(session, "homepage")
        sums, days = (
            read_inputs(session, "homepage", history, dt.date(2024, 1, 21), summed).all_days
            for summed in (True, False)
        )
    assert sums.summed_days is not None
    assert sums.shown.tolist() == days.shown.tolist()
