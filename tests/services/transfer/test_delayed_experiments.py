"""Experiments whose conversions come later: what is known of their delay moves with them."""

import json

import pytest

from tests.support.fixtures.events import event
from tests.support.fixtures.transfer import lines, take
from tests.support.totals import history, post

READS = ["/allocations/{}?as_of=now", "/experiments/{}/delay", "/experiments/{}/gain", "/metrics/{}"]


def answers(client, experiment_id):
    return [client.get(path.format(experiment_id)).content for path in READS]


@pytest.fixture
def tracked(client, clock):
    """Twenty units exposed on one day, that converted on that day and the two after it."""
    variants = [{"variant_id": "a"}, {"variant_id": "b"}]
    made = {"experiment_id": "e", "source": "tracked", "variants": variants}
    client.post("/experiments", json=made).raise_for_status()
    units = [{"experiment_id": "e", "unit_id": f"u{i}"} for i in range(20)]
    client.post("/assignments", json=units).raise_for_status()
    exposures, conversions = (
        [event(f"u{i}", kind) for i in range(20)] for kind in ("exposure", "conversion")
    )
    client.post("/events", json=exposures + conversions[:5]).raise_for_status()
    for some in (conversions[5:12], conversions[12:15]):
        clock.pass_days(1)
        client.post("/events", json=some).raise_for_status()
    clock.pass_days(1)
    return client


def test_the_days_on_which_conversions_were_received_move(tracked, elsewhere):
    before = answers(tracked, "e")
    assert len(json.loads(before[1])["estimate"]["curve"]) == 3
    imported = take(elsewhere, tracked.get("/experiments/e/export").content)
    assert imported.json()["rows"]["received_metrics"] > 0
    assert answers(elsewhere, "e") == before


def without(content, *parts, column):
    """Return a file as a version without these tables, and without a column of daily metrics, wrote it."""
    header, *rows, _ = [json.loads(line) for line in content]
    rows = [row for row in rows if row["part"] not in parts]
    for row in rows:
        if row["part"] == "experiment_metrics":
            del row["row"][column]
    return "".join(json.dumps(line) + "\n" for line in [header, *rows, {"rows": len(rows)}]).encode()


def test_a_file_of_a_version_without_reports_says_nothing_of_a_delay(client, elsewhere):
    """Its totals were sent the day after, as far as it says: known through yesterday."""
    post(client, *history())
    file = without(lines(client.get("/experiments/homepage/export")), "metric_snapshots", column="as_of")
    assert take(elsewhere, file).status_code == 201
    assert "delay" not in elsewhere.get("/allocations/homepage").json()
    assert elsewhere.get("/experiments/homepage/delay").json()["estimate"] is None
    (first, *_) = elsewhere.get("/metrics/homepage?as_of=2026-03-09").json()["items"]
    assert (first["date"], first["successes"], first["as_of"]) == ("2026-03-01", 120, "2026-03-09")
    assert len(elsewhere.get("/metrics/homepage?as_of=2026-03-08").json()["items"]) == 0


def test_reports_go_on_from_a_file_of_a_version_without_them(client, elsewhere, clock):
    post(client, *history())
    file = without(lines(client.get("/experiments/homepage/export")), "metric_snapshots", column="as_of")
    take(elsewhere, file).raise_for_status()
    clock.pass_days(1)
    newest = history()[-1] | {"successes": 90, "as_of": "2026-03-10"}
    post(elsewhere, newest)
    estimate = elsewhere.get("/experiments/homepage/delay").json()["estimate"]
    assert estimate["came"] == pytest.approx([60, 30])


def test_a_file_of_a_version_without_receptions_is_decided_by_its_totals(tracked, elsewhere):
    file = without(lines(tracked.get("/experiments/e/export")), "received_metrics", column="as_of")
    assert take(elsewhere, file).status_code == 201
    answer = elsewhere.get("/allocations/e?as_of=now").json()
    assert sum(variant["successes"] for variant in answer["variants"]) == 15
    assert "delay" not in answer
