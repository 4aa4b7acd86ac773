"""The delay in hours, beside the same estimate computed cohort by cohort from what was sent."""

import datetime as dt
from fractions import Fraction
from itertools import pairwise

import numpy as np
import psycopg
import pytest

from tests.support.fixtures.hours import answer, convert, hourly, show

HOUR = dt.timedelta(hours=1)
HOURS, OLDEST = 8, 5


@pytest.fixture
def sent(client, clock):
    """Cohorts of eight hours of 40 units, 12 of which convert up to 5 hours later: (hour, age, variant) of each.

    The hour that runs is the ninth: what would come in it or later was not sent.
    """
    rng = np.random.default_rng(20_261_201)
    hourly(client, policy={"kind": "uniform"})
    due: dict[int, list[str]] = {hour: [] for hour in range(HOURS)}
    known: list[tuple[int, int, str]] = []
    for hour in range(HOURS):
        units = [(unit, name) for name, some in show(client, 40, f"{hour}-").items() for unit in some]
        for at, age in zip(rng.permutation(40)[:12], rng.binomial(OLDEST, 0.3, 12), strict=True):
            unit, name = units[at]
            if hour + age < HOURS:
                due[hour + age].append(unit)
                known.append((hour, int(age), name))
        convert(client, due[hour])
        clock.now += HOUR
    return known


def fractions_by_hand(sent):
    """F(J - 1) / F(J) = (sum_c C_c(J - 1) + 1) / (sum_c C_c(J) + 1), over the cohorts c known through age J."""
    came = np.zeros((HOURS, HOURS), int)
    for hour, age, _ in sent:
        came[hour, age] += 1
    by = came.cumsum(axis=1)
    fractions = [Fraction(1)]
    for age in range(int(max(age for _, age, _ in sent)), 0, -1):
        cohorts = [hour for hour in range(HOURS) if HOURS - 1 - hour >= age]
        ratio = Fraction(int(by[cohorts, age - 1].sum()) + 1, int(by[cohorts, age].sum()) + 1)
        fractions.insert(0, fractions[0] * ratio)
    return [float(fraction) for fraction in fractions]


def test_the_curve_is_the_chain_ladder_of_hourly_cohorts(client, sent):
    curve, report = fractions_by_hand(sent), client.get("/experiments/e/delay").json()
    assert len(curve) > 3
    assert all(young < old for young, old in pairwise(curve))
    assert report["curve"] == pytest.approx(curve, rel=1e-9)  # written with 10 significant digits
    assert answer(client)["delay"]["curve"] == pytest.approx(curve, rel=1e-9)


def test_the_counts_behind_it_are_those_that_were_sent(client, sent):
    came = client.get("/experiments/e/delay").json()["estimate"]["came"]
    ages = [age for _, age, _ in sent]
    assert came == [ages.count(age) for age in range(len(came))]


def test_an_hour_s_impressions_count_as_far_as_its_conversions_have_come(client, sent, database_url):
    """`matured` is the mean of F at the age of each hour, by impressions of the variant."""
    body, curve = answer(client), np.array(fractions_by_hand(sent))
    shown = np.array([shown_by_hour(database_url, name) for name in "ab"])
    ages = HOURS - 1 - np.arange(HOURS)
    expected = shown @ curve[np.minimum(ages, len(curve) - 1)] / shown.sum(axis=1)
    assert [variant["matured"] for variant in body["variants"]] == pytest.approx(expected, rel=1e-9)


def shown_by_hour(database_url, variant_id):
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select sum(impressions) from received_hours where variant_id = %s group by hour order by hour",
            [variant_id],
        ).fetchall()
    return [int(n) for (n,) in rows]
