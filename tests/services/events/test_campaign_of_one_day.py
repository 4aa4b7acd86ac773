"""One day of 24,000 units, conversions within the hour: what cadence hour earns, where days can learn nothing."""

import datetime as dt

import numpy as np
import psycopg
import pytest

from tests.support.fixtures.events import create

pytestmark = pytest.mark.statistics

RATES = {"a": 0.12, "b": 0.15, "c": 0.13}
HOURS, PER_HOUR, RUNS = 24, 1_000, 30
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
LEAST_MEAN, LEAST_OF_90_PERCENT = 9.5, 6.0

HOUR = "insert into received_hours values (%s, %s, %s, %s, %s, %s, 0, 0)"
DAY = """
    insert into experiment_metrics (experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
                                    times_written, created_at, updated_at)
    values (%s, %s, %s, %s, %s, 0, 0, 1, now(), now())
    on conflict (experiment_id, variant_id, date) do update set
        impressions = experiment_metrics.impressions + excluded.impressions,
        successes = experiment_metrics.successes + excluded.successes
"""


def lift(shown):
    """Percent of conversions expected beyond an even split, of impressions (3,)."""
    rates = np.array(list(RATES.values()))
    return 100 * (shown @ rates / shown.sum() / rates.mean() - 1)


def play(client, clock, database_url, name, seed):
    """Ask for the shares of each hour and store what the roll-up stores of its events."""
    rng, shown = np.random.default_rng([26_014, seed]), np.zeros(3, int)
    for hour in range(HOURS):
        clock.now = MIDNIGHT + dt.timedelta(hours=hour)
        shares = client.get(f"/allocations/{name}").json()["allocations"]
        drawn = rng.multinomial(PER_HOUR, np.array([shares[variant] for variant in RATES]) / 100)
        converted = rng.binomial(drawn, list(RATES.values()))
        number = int((clock.now - EPOCH) / dt.timedelta(hours=1))
        rows = [(variant, int(n), int(s)) for variant, n, s in zip(RATES, drawn, converted, strict=True) if n]
        with psycopg.connect(database_url) as connection:
            cursor = connection.cursor()
            cursor.executemany(DAY, [(name, variant, clock.now.date(), n, s) for variant, n, s in rows])
            cursor.executemany(HOUR, [(name, variant, number, number, n, s) for variant, n, s in rows])
            cursor.execute(
                "update experiment_versions set version = version + 1 where experiment_id = %s", [name]
            )
        shown += drawn
    return lift(shown)


def lifts(client, clock, database_url, **settings):
    found = []
    for seed in range(RUNS):
        clock.now = MIDNIGHT
        create(client, f"e{seed}", "".join(RATES), source="tracked", **settings)
        found.append(play(client, clock, database_url, f"e{seed}", seed))
    return np.array(found)


def test_within_one_day_hours_earn_most_of_what_an_oracle_does(client, clock, database_url):
    found = lifts(client, clock, database_url, cadence="hour")
    assert found.mean() >= LEAST_MEAN
    assert (found >= LEAST_OF_90_PERCENT).mean() >= 0.9


def test_days_earn_nothing_beyond_the_even_split_of_their_first(client, clock, database_url):
    """Shares are equal all day: the mean lift of 30 runs is 0 within four standard errors of 0.0526 each."""
    rates = np.array(list(RATES.values()))
    error = 100 * rates.std() / rates.mean() / np.sqrt(HOURS * PER_HOUR * RUNS)
    assert abs(lifts(client, clock, database_url).mean()) <= 4 * error


def in_thousands(client, path, items):
    answers = []
    for start in range(0, len(items), 1_000):
        answer = client.post(path, json=items[start : start + 1_000])
        assert answer.status_code == 200, answer.text
        answers.append(answer.json())
    return answers


def spend_hour(client, rng, name, hour):
    """Assign and expose the units of an hour, and let them convert; return how many each variant had."""
    units = [{"experiment_id": name, "unit_id": f"{hour}-{i}"} for i in range(PER_HOUR)]
    variant = {
        item["unit_id"]: item["variant_id"]
        for answer in in_thousands(client, "/assignments", units)
        for item in answer
    }
    chance = dict(zip(variant, rng.random(len(variant)), strict=True))
    kinds = [("exposure", variant), ("conversion", [u for u in variant if chance[u] < RATES[variant[u]]])]
    for kind, whose in kinds:
        events = [
            {"experiment_id": name, "unit_id": unit, "event_id": f"{unit}-{kind}", "type": kind}
            for unit in whose
        ]
        counted = [answer["counted"] for answer in in_thousands(client, "/events", events)]
        assert sum(counted) == len(events)
    return np.array([list(variant.values()).count(name) for name in RATES])


def test_a_day_of_real_events_earns_it_too(client, clock):
    """Every unit is assigned, exposed and converted through the API: 24,000 of them."""
    clock.now, rng = MIDNIGHT, np.random.default_rng(26_014)
    create(client, "e", "".join(RATES), cadence="hour")
    shown = np.zeros(3, int)
    for hour in range(HOURS):
        clock.now = MIDNIGHT + dt.timedelta(hours=hour, minutes=10)
        shown += spend_hour(client, rng, "e", hour)
    assert lift(shown) >= LEAST_OF_90_PERCENT
