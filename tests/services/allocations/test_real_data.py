"""Real experiments load, and every date of theirs can be allocated."""

import datetime as dt
import json
from collections import defaultdict
from dataclasses import replace

import pytest

from app.bandits.allocation.rounding import percentages
from app.services.allocations.inputs.decision_inputs import read_inputs
from app.services.allocations.response import decided_from
from app.services.experiments.settings_history import read_histories

pytestmark = pytest.mark.statistics

FILES = ["store_ab_orders_visits", "udacity_free_trial", "facebook_ads_daily", "asos_daily_dev"]


@pytest.mark.parametrize("name", FILES)
def test_real_data_load_and_allocations_follow_for_every_date(client, shared_data, name):
    lines = (shared_data / f"{name}.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    answer = client.post("/metrics/", json=rows)
    assert (answer.status_code, answer.json()["inserted"]) == (200, len(rows)), answer.text
    for experiment_id, dates in days_of(rows).items():
        for date in [*dates, dates[-1] + dt.timedelta(days=1)]:
            body = client.get(f"/allocations/{experiment_id}", params={"for_date": str(date)}).json()
            assert sum(round(share * 10_000) for share in body["allocations"].values()) == 1_000_000
            assert body["data_through"] is None or body["data_through"] < str(date)


@pytest.mark.parametrize("name", FILES)
def test_the_same_file_in_bulk_stores_the_same(client, shared_data, name):
    upload = (shared_data / f"{name}.jsonl").read_bytes()
    header = {"Content-Type": "application/x-ndjson"}
    stored = client.post("/metrics/bulk", content=upload, headers=header).json()
    rows = [json.loads(line) for line in upload.splitlines()]
    assert (stored["inserted"], stored["rejected"]) == (len(rows), 0)
    assert client.post("/metrics/", json=rows).json()["unchanged"] == len(rows)


def days_of(rows):
    days = defaultdict(set)
    for row in rows:
        days[row["experiment_id"]].add(dt.date.fromisoformat(row["date"]))
    return {experiment_id: sorted(dates) for experiment_id, dates in days.items()}


def load_late(client, data):
    rows = [json.loads(line) for line in (data / "asos_daily_late_dev.jsonl").read_text().splitlines()]
    for experiment_id in days_of(rows):
        settings = {"experiment_id": experiment_id, "late_conversions": True}
        assert client.post("/experiments", json=settings).status_code == 201
    assert client.post("/metrics/", json=rows).json()["inserted"] == len(rows)
    return days_of(rows)


def test_late_conversions_are_answered_for_every_date(client, shared_data):
    for experiment_id, dates in load_late(client, shared_data).items():
        for date in dates:
            body = client.get(f"/allocations/{experiment_id}", params={"for_date": str(date)}).json()
            gates = {gate["gate"] for gate in body["gates"]}
            assert gates <= {"no_data", "burn_in", "invalid_totals", "incomplete_day", "stale_data"}


def test_late_conversions_are_decided_for_every_date_under_every_weighting(client, shared_data):
    """The answer's own inputs and decision, with each window and half-life in the place of the stored settings."""
    weightings = [{name: days} for name in ("window_days", "half_life_days") for days in (1, 7, 28)]
    dates_of = load_late(client, shared_data)
    with client.app.state.database.transaction() as session:
        for experiment_id, dates in dates_of.items():
            history = read_histories(session, [experiment_id])[experiment_id]
            for date in dates:
                found = read_inputs(session, experiment_id, history, date)
                for weighting in weightings:
                    settings = found.settings.model_copy(update=weighting)
                    shares = decided_from(replace(found, settings=settings)).decision.shares
                    assert sum(percentages(shares)) == 100
