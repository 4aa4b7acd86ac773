"""Reports of a day and what each of them knew: stored, read, and learnt from."""

import numpy as np
import psycopg
import pytest

from app.services.delay.reports import REPORT
from tests.support.fixtures.transfer import NDJSON, elsewhere  # noqa: F401 - a fixture
from tests.support.totals import DAYS, history, send, total


def known(client, **query):
    items = client.get("/metrics/homepage", params=query).json()["items"]
    return [(item["date"], item["successes"], item["as_of"]) for item in items]


def test_a_report_is_known_through_yesterday_unless_it_says_otherwise(client):
    send(client, total(date="2026-03-01"), total(date="2026-03-10"), total(date="2026-03-11"))
    assert [as_of for _, _, as_of in known(client)] == ["2026-03-09", "2026-03-10", "2026-03-11"]


def test_a_later_report_replaces_the_totals_and_an_earlier_one_only_adds_to_the_history(client):
    send(client, total(successes=100, as_of="2026-03-05"))
    assert send(client, total(successes=120, as_of="2026-03-07")) == (0, 1, 0)
    assert send(client, total(successes=60, as_of="2026-03-02")) == (1, 0, 0)
    assert known(client) == [("2026-03-01", 120, "2026-03-07")]
    assert known(client, as_of="2026-03-06") == [("2026-03-01", 100, "2026-03-05")]
    assert known(client, as_of="2026-03-04") == [("2026-03-01", 60, "2026-03-02")]
    assert known(client, as_of="2026-03-01") == []


def test_the_same_report_again_changes_nothing(client):
    send(client, total(successes=100, as_of="2026-03-05"), total(successes=60, as_of="2026-03-02"))
    again = [total(successes=100, as_of="2026-03-05"), total(successes=60, as_of="2026-03-02")]
    before = client.get("/experiments/homepage").headers["ETag"]
    assert send(client, *again) == (0, 0, 2)
    assert client.get("/experiments/homepage").headers["ETag"] == before


def test_a_corrected_report_of_the_history_is_an_update(client):
    send(client, total(successes=100, as_of="2026-03-05"), total(successes=60, as_of="2026-03-02"))
    assert send(client, total(successes=61, as_of="2026-03-02")) == (0, 1, 0)
    assert known(client, as_of="2026-03-02") == [("2026-03-01", 61, "2026-03-02")]


def test_totals_that_stayed_as_they_were_are_unchanged_and_known_through_a_later_day(client, clock):
    send(client, total())
    clock.pass_days(1)
    assert send(client, total()) == (0, 0, 1)
    assert known(client) == [("2026-03-01", 120, "2026-03-10")]
    assert known(client, as_of="2026-03-09") == [("2026-03-01", 120, "2026-03-09")]


def test_totals_beyond_the_oldest_age_are_not_stored_again(client, clock):
    send(client, total(date="2026-01-01"))
    clock.pass_days(1)
    assert send(client, total(date="2026-01-01")) == (0, 0, 1)
    assert known(client) == [("2026-01-01", 120, "2026-03-09")]


def test_deleting_a_day_deletes_its_reports(client):
    send(client, total(successes=60, as_of="2026-03-01"), total(as_of="2026-03-05"))
    client.delete("/metrics/homepage/control/2026-03-01")
    assert known(client, as_of="2026-03-09") == []


@pytest.mark.parametrize("as_of", ["2026-02-28", "2026-03-11"])
def test_a_report_known_before_its_day_or_after_today_is_rejected(client, as_of):
    answer = client.post("/metrics/", json=total(as_of=as_of))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.as_of")
    csv = f"experiment_id,variant_id,date,impressions,successes,as_of\nhomepage,control,2026-03-01,9,1,{as_of}\n"
    answer = client.post("/metrics/bulk", content=csv, headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "as_of")


def test_an_upload_takes_a_history_of_reports(client):
    lines = [f"homepage,control,2026-03-01,1000,{60 + age},2026-03-0{1 + age}" for age in (0, 2, 1)]
    csv = "\n".join(["experiment_id,variant_id,date,impressions,successes,as_of", *lines])
    answer = client.post("/metrics/bulk", content=csv, headers={"Content-Type": "text/csv"}).json()
    assert (answer["inserted"], answer["superseded"]) == (3, 0)
    assert known(client) == [("2026-03-01", 62, "2026-03-03")]
    assert known(client, as_of="2026-03-02") == [("2026-03-01", 61, "2026-03-02")]


def test_the_delay_is_estimated_from_days_that_were_reported_again(client):
    """At each age the product of (sum + 1) / (sum + 1) over the days known through it, in closed form."""
    send(client, *history())
    answer = client.get("/allocations/homepage").json()
    f2 = (6 * 105 + 1) / (6 * 120 + 1)
    f1 = f2 * (7 * 90 + 1) / (7 * 105 + 1)
    f0 = f1 * (8 * 60 + 1) / (8 * 90 + 1)
    assert answer["delay"]["kind"] == "auto"
    assert answer["delay"]["curve"] == pytest.approx([f0, f1, f2, 1], rel=1e-9)
    matured = (f0 + f1 + f2 + 6) / 9
    assert answer["delay"]["matured"] == pytest.approx(matured, rel=1e-9)


def test_the_order_of_reports_does_not_matter(client, make_client):
    send(client, *history())
    together = client.get("/allocations/homepage?as_of=now").json()["revision"]
    client.delete("/metrics/homepage/control/2026-03-01")
    for one in [report for report in reversed(history()) if report["date"] == "2026-03-01"]:
        send(client, one)
    assert client.get("/allocations/homepage?as_of=now").json()["revision"] == together


def test_days_that_were_reported_once_say_nothing_of_a_delay(client):
    send(client, *[total(date=date) for date in DAYS])
    assert "delay" not in client.get("/allocations/homepage").json()


def test_reports_that_only_grow_by_refunds_leave_fractions_within_bounds(client):
    send(client, total(successes=100, as_of="2026-03-05"), total(successes=90, as_of="2026-03-07"))
    answer = client.get("/allocations/homepage").json()
    assert all(0 <= fraction <= 1 for fraction in answer.get("delay", {"curve": []})["curve"])


def test_reports_travel_with_an_experiment_and_decide_alike(client, elsewhere):  # noqa: F811 - the fixture
    send(client, *history())
    before = client.get("/allocations/homepage?as_of=now").content
    file = client.get("/experiments/homepage/export").content
    answer = elsewhere.post("/experiments/import", content=file, headers=NDJSON)
    assert answer.status_code == 201, answer.text
    assert answer.json()["rows"]["metric_snapshots"] == len(history()) - len(DAYS)
    assert elsewhere.get("/allocations/homepage?as_of=now").content == before


def packed(database_url):
    """The earlier reports of the first day by age, as they are packed, and as they are stored."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        ((written,),) = connection.execute("select reports from reports_by_day where date = '2026-03-01'")
        rows = connection.execute(
            "select as_of - date, impressions, successes from metric_snapshots where date = '2026-03-01'"
        ).fetchall()
    return sorted(np.frombuffer(written, REPORT).tolist()), sorted(rows)


def test_earlier_reports_are_packed_by_day_in_whatever_order_they_come(client, database_url):
    send(client, total(successes=100, as_of="2026-03-05"), total(successes=60, as_of="2026-03-02"))
    send(client, total(successes=110, as_of="2026-03-07"))
    send(client, total(successes=90, as_of="2026-03-04"))
    by_day, stored = packed(database_url)
    assert by_day == stored == [(1, 1000, 60), (3, 1000, 90), (4, 1000, 100)]


def test_a_corrected_earlier_report_is_packed_once(client, database_url):
    send(client, total(successes=100, as_of="2026-03-05"), total(successes=60, as_of="2026-03-02"))
    for successes in (61, 62, 63):
        send(client, total(successes=successes, as_of="2026-03-02"))
    by_day, stored = packed(database_url)
    assert by_day == stored == [(1, 1000, 63)]
