"""An experiment with a past, its file, and another server for it to go to."""

import datetime as dt
import json

import pytest

from app.storage import migrate

NDJSON = {"Content-Type": "application/x-ndjson"}


def play(client, clock, experiment_id="moved"):
    """Give an experiment a past: settings that changed, a pause, recorded answers, a retired variant."""
    variants = [{"variant_id": name, "value": {"text": f"{name} ü \u2028", "size": 10.0}} for name in "abc"]
    created = {"experiment_id": experiment_id, "variants": variants, "objective": "value", "currency": "EUR"}
    client.post("/experiments", json=created | {"policy": {"kind": "value_thompson"}}).raise_for_status()
    for day in range(4):
        date = str(clock().date())
        for number, name in enumerate("abc"):
            total = {"experiment_id": experiment_id, "variant_id": name, "date": date, "impressions": 1_000}
            money = {"revenue": 123.456789012 + number, "revenue_sq": 2345.000000000001}
            client.post("/metrics", json=total | {"successes": 40 + 7 * number + day} | money)
        client.get(f"/allocations/{experiment_id}")
        clock.now += dt.timedelta(days=1)
    client.patch(f"/experiments/{experiment_id}", json={"min_share": 5})
    client.patch(f"/experiments/{experiment_id}/variants/a", json={"retired_on": str(clock().date())})


@pytest.fixture
def exported(client, clock):
    play(client, clock)
    return client.get("/experiments/moved/export")


@pytest.fixture
def elsewhere(empty_database_url, make_client):
    """A client of another server, whose database knows nothing."""
    migrate.upgrade(empty_database_url)
    return make_client(database_url=empty_database_url)


def lines(answer):
    return answer.content.splitlines(keepends=True)


def take(client, content):
    return client.post("/experiments/import", content=content, headers=NDJSON)


def broken(exported, part, **changes):
    """The file with one row changed, and the number of its line."""
    sent = [json.loads(line) for line in lines(exported)]
    number = next(number for number, line in enumerate(sent) if line.get("part") == part)
    sent[number]["row"] |= changes
    return b"".join(json.dumps(line).encode() + b"\n" for line in sent), number + 1
