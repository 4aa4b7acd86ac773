"""Totals of several messages in one transaction: state and answers are those of one message after the other."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import TypeAdapter

from app.errors import Conflict, Invalid
from app.schemas.metrics import DailyTotals
from app.services.access import audit_log
from app.services.metrics import daily_metrics
from app.services.metrics.recorder import MetricsRecorder
from app.settings import ServiceSettings
from tests.support.fixtures.replays import ALONE, AT_ONCE, all_at_once, answered, state_of
from tests.support.totals import total

TABLES = {
    "experiment_metrics": "*",
    "metric_snapshots": "*",
    "reports_by_day": "*",
    "variants": "*",
    "experiments": "*",
    "experiment_settings": "*",
    "experiment_versions": "*",
}

parse = TypeAdapter(DailyTotals).validate_python


def messages(seed, prefix):
    """Single totals and small arrays at random: reported again, corrected, of new variants, impossible."""
    chance = random.Random(seed)

    def one(experiment_id):
        date = chance.randint(7, 11)
        as_of = {"as_of": f"2026-03-{chance.randint(date - 1, 11):02}"} if chance.random() < 0.4 else {}
        variant = chance.choice(["a", "a", "a", "b", "b", "late", f"new-{chance.randrange(3)}"])
        successes = chance.choice([0, 1, 1, 2, 2, 9])
        fields = {"experiment_id": experiment_id, "date": f"2026-03-{date:02}", **as_of}
        return total(variant, impressions=chance.randint(7, 9), successes=successes, **fields)

    def message():
        experiment_id = prefix + chance.choice(
            ["e", "e", "f", "tracked", "undecided", f"none-{chance.randrange(3)}"]
        )
        size = chance.choice([1, 1, 3])
        return parse(one(experiment_id) if size == 1 else [one(experiment_id) for _ in range(size)])

    return [message() for _ in range(80)]


@pytest.fixture
def recorder(client, pooled_database, database_url):
    return MetricsRecorder(pooled_database, ServiceSettings(database_url=database_url))


@pytest.fixture
def prepare(client):
    """Return a way to create the experiments of a prefix."""

    def create(experiment_id, **settings):
        body = {"experiment_id": experiment_id, "variants": [{"variant_id": v} for v in ("a", "b", "late")]}
        client.post("/experiments", json=body | settings).raise_for_status()

    def run(prefix):
        create(f"{prefix}e", source="reported")
        create(f"{prefix}f", source="reported", time_zone="Pacific/Auckland")
        create(f"{prefix}tracked", source="tracked")
        create(f"{prefix}undecided")
        retired = {"retired_on": "2026-03-10"}
        client.patch(f"/experiments/{prefix}e/variants/late", json=retired).raise_for_status()

    return run


@pytest.mark.parametrize("seed", range(4))
def test_messages_at_once_end_as_one_after_the_other(
    prepare, recorder, pooled_database, database_url, clock, seed
):
    def alone(sent):
        with pooled_database.transaction() as session:
            return recorder.record_alone(session, sent, clock())

    for prefix in (ALONE, AT_ONCE):
        prepare(prefix)
    expected = [answered(ALONE, lambda sent=sent: alone(sent)) for sent in messages(seed, ALONE)]
    found = all_at_once(messages(seed, AT_ONCE), lambda sent: recorder.record(sent, clock()))
    assert found == expected
    assert state_of(database_url, TABLES, AT_ONCE) == state_of(database_url, TABLES, ALONE)


def test_a_message_that_breaks_a_batch_takes_no_other_down(prepare, recorder, clock, monkeypatch, client):
    prepare("x-")
    upsert = daily_metrics.upsert

    def broken(session, totals, terms):
        if any(one.impressions == 13 for one in totals):
            totals = [one.model_copy(update={"impressions": -1}) for one in totals]
        return upsert(session, totals, terms)

    monkeypatch.setattr(daily_metrics, "upsert", broken)
    rows = [("x-e", 10), ("x-f", 13), ("x-e", 5), ("x-f", 11), ("x-none", 12)]
    sent = [parse(total("a", impressions=n, successes=6, experiment_id=name)) for name, n in rows]

    async def at_once():
        return await asyncio.gather(*(recorder.record(one, clock()) for one in sent), return_exceptions=True)

    first, broke, impossible, second, registered = asyncio.run(at_once())
    assert isinstance(broke, Conflict)
    assert isinstance(impossible, Invalid)
    assert [one.inserted for one in (first, second, registered)] == [1, 1, 1]
    assert client.get("/metrics/x-f").json()["items"][0]["impressions"] == 11


def test_every_message_of_a_batch_has_its_own_entry_in_the_audit_log(prepare, make_client, client):
    prepare("x-")
    rows = [("x-e", 10), ("x-f", 12), ("x-e", 11), ("x-e", 5)]
    sent = [total("a", impressions=n, successes=6, experiment_id=name) for name, n in rows]
    with ThreadPoolExecutor(len(sent)) as threads:
        answers = list(threads.map(lambda one: client.post("/metrics", json=one), sent))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422]
    with client.app.state.database.transaction() as session:
        written = [
            row.subjects for row in audit_log.read(session, None, 9) if row.operation == "record_metrics"
        ]
    assert sorted(written) == [["x-e"], ["x-e"], ["x-f"]]
