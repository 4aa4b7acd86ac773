"""Whole campaigns over HTTP whose conversions come late: what is earned beyond an even split."""

import datetime as dt
from itertools import product

import numpy as np
import psycopg
import pytest

from benchmarks.results.delay.campaigns import exactly, geometric
from tests.support.fixtures.events import create

pytestmark = pytest.mark.statistics

RATES = np.array([0.12, 0.15, 0.13])
NAMES = "abc"
DAYS, PER_DAY, RUNS = 30, 10_000, 30
REPORTED_AGAIN = 14
DELAYS = {"exactly 3": exactly(3), "exactly 7": exactly(7), "mean 3": geometric(3), "mean 7": geometric(7)}
LEAST = {"exactly 3": 10.6, "exactly 7": 8.9, "mean 3": 11.4, "mean 7": 11.3}


class Campaign:
    """One campaign: what was shown, and when its conversions come."""

    def __init__(self, masses, seed):
        self.rng = np.random.default_rng([20_261, seed])
        self.masses = np.append(masses, max(1 - masses.sum(), 0))
        self.shown = np.zeros((DAYS, 3), int)
        self.came = np.zeros((DAYS, len(masses), 3), int)

    def show(self, day, shares):
        self.shown[day] = self.rng.multinomial(PER_DAY, shares / shares.sum())
        converted = self.rng.binomial(self.shown[day], RATES)
        self.came[day] = self.rng.multinomial(converted, self.masses)[:, :-1].T

    def known(self, day, through):
        """Return the conversions of a day that came through another."""
        return self.came[day, : through - day + 1].sum(axis=0)

    @property
    def lift(self):
        return 100 * ((self.shown @ RATES).sum() / (DAYS * PER_DAY * RATES.mean()) - 1)


def play(client, clock, campaign, name, send):
    """Ask for each day's shares, show, and send what is known at its end."""
    first = clock().date()
    for day in range(DAYS):
        answer = client.get(f"/allocations/{name}").json()
        campaign.show(day, np.array([answer["allocations"][variant] for variant in NAMES]))
        send(campaign, name, first, day)
        clock.pass_days(1)
    return campaign.lift


def report(client):
    """Return a sender that reports the totals of the last days again at the end of each day."""

    def send(campaign, name, first, day):
        rows = [
            {
                "experiment_id": name,
                "variant_id": variant,
                "date": str(first + dt.timedelta(days=cohort)),
                "as_of": str(first + dt.timedelta(days=day)),
                "impressions": int(campaign.shown[cohort, arm]),
                "successes": int(campaign.known(cohort, day)[arm]),
            }
            for cohort, (arm, variant) in product(
                range(max(day - REPORTED_AGAIN + 1, 0), day + 1), enumerate(NAMES)
            )
        ]
        client.post("/metrics/", json=rows).raise_for_status()

    return send


RECEIVED = """
    insert into received_metrics values (%s, %s, %s, %s, %s, %s, 0, 0)
"""
COUNTED = """
    insert into experiment_metrics (experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
                                    times_written, created_at, updated_at)
    values (%s, %s, %s, %s, %s, 0, 0, 1, now(), now())
    on conflict (experiment_id, variant_id, date) do update set
        successes = experiment_metrics.successes + excluded.successes
"""


def count(database_url):
    """Return a sender that stores what the roll-up stores of a day's events, as ``test_received`` has it."""

    def send(campaign, name, first, day):
        today = first + dt.timedelta(days=day)
        counted, received = [], []
        for cohort, (arm, variant) in product(range(day + 1), enumerate(NAMES)):
            age, date = day - cohort, first + dt.timedelta(days=cohort)
            shown = int(campaign.shown[cohort, arm]) if age == 0 else 0
            came = int(campaign.came[cohort, age, arm]) if age < campaign.came.shape[1] else 0
            if shown or came:
                counted.append((name, variant, date, shown, came))
                received.append((name, variant, date, today, shown, came))
        with psycopg.connect(database_url) as connection:
            cursor = connection.cursor()
            cursor.executemany(COUNTED, counted)
            cursor.executemany(RECEIVED, received)
            cursor.execute(
                "update experiment_versions set version = version + 1 where experiment_id = %s", [name]
            )

    return send


def lifts(client, clock, delay, send, **settings):
    found = []
    for seed in range(RUNS):
        create(client, f"e{seed}", NAMES, **settings)
        found.append(play(client, clock, Campaign(DELAYS[delay], seed), f"e{seed}", send))
    return np.array(found)


@pytest.mark.parametrize("delay", DELAYS)
def test_reported_again_each_day_a_campaign_learns_while_conversions_are_on_their_way(client, clock, delay):
    assert lifts(client, clock, delay, report(client)).mean() >= LEAST[delay]


@pytest.mark.parametrize("delay", DELAYS)
def test_a_tracked_campaign_learns_while_conversions_are_on_their_way(client, clock, database_url, delay):
    found = lifts(client, clock, delay, count(database_url), source="tracked")
    assert found.mean() >= LEAST[delay]
