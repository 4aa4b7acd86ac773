"""Reports and files of delayed conversions as an attacker sends them: a clear 4xx, and nothing is lost."""

import json

import pytest

from tests.support.fixtures.events import create, event
from tests.support.fixtures.transfer import broken, lines, take
from tests.support.totals import history, post, send, total

MOST = 9_223_372_036_854_774_784
READS = [
    "/allocations/{}",
    "/allocations/{}?as_of=now",
    "/experiments/{}/delay",
    "/experiments/{}/gain",
    "/experiments/{}/comparison",
    "/experiments/{}/posterior",
    "/metrics/{}",
    "/metrics/{}?as_of=2026-03-09",
    "/experiments/{}/export",
]


def readable(client, experiment_id="homepage"):
    """Return whether every answer about an experiment is a good one."""
    return {path: client.get(path.format(experiment_id)).status_code for path in READS} == dict.fromkeys(
        READS, 200
    )


def errors(answer):
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(error["field"], error["message"]) for error in answer.json()["errors"]]


def stored(client):
    return [
        client.get("/metrics/homepage").json()["items"],
        client.get("/experiments/homepage").headers["ETag"],
    ]


# ---- as_of


@pytest.mark.parametrize(
    "as_of",
    [
        "2026-02-28", "2026-03-11", "9999-12-31", "0001-01-01", "2026-03-09T00:00:00", "2026-03-09T12:00:00Z",
        "2026-03-09 ", "20260309", "2026-3-9", "2026-02-30", "yesterday", "", 0, 1_772_000_000, True, [], {},
        "٢٠٢٦-٠٣-٠٩",
    ],
)  # fmt: skip
def test_a_day_that_cannot_be_is_rejected_at_its_field(client, as_of):
    send(client, total(successes=100, as_of="2026-03-05"))
    before = stored(client)
    answer = client.post("/metrics/", json=[total(successes=110), total(date="2026-03-02", as_of=as_of)])
    assert [field for field, _ in errors(answer)] == ["body.1.as_of"]
    assert stored(client) == before


@pytest.mark.parametrize(
    ("zone", "today"),
    [("Pacific/Kiritimati", "2026-03-11"), ("Pacific/Niue", "2026-03-10"), ("UTC", "2026-03-10")],
)
def test_today_is_that_of_the_experiments_time_zone(client, zone, today):
    """At noon in UTC it is 2 in the morning of the next day on Kiritimati."""
    client.post("/experiments", json={"experiment_id": "homepage", "time_zone": zone}).raise_for_status()
    tomorrow = f"2026-03-{int(today[-2:]) + 1}"
    csv = "experiment_id,variant_id,date,impressions,successes,as_of\nhomepage,control,2026-03-01,9,1,{}\n"
    send(client, total(as_of=today))
    assert errors(client.post("/metrics/", json=total(as_of=tomorrow)))[0][0] == "body.as_of"
    uploaded = client.post(
        "/metrics/bulk", content=csv.format(tomorrow), headers={"Content-Type": "text/csv"}
    )
    assert errors(uploaded)[0] == ("as_of", "after today in the experiment's time zone")
    assert readable(client)


@pytest.mark.parametrize("as_of", ["2026-13-01", "today", "2026-03-09T00:00", "", "0"])
def test_totals_are_not_read_as_of_no_day(client, as_of):
    send(client, total())
    assert errors(client.get("/metrics/homepage", params={"as_of": as_of}))[0][0] == "query.as_of"


# ---- counts


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param([(100, 50), (100, 20), (100, 0)], id="that fall to nothing"),
        pytest.param([(0, 0), (0, 0), (0, 0)], id="without impressions"),
        pytest.param([(100, 10), (0, 0), (100, 30)], id="that lose their impressions for a day"),
        pytest.param([(0, 0), (100, 10), (100, 30)], id="that begin without impressions"),
        pytest.param([(MOST, 0), (MOST, 1), (MOST, MOST)], id="as large as can be"),
        pytest.param([(1, 1), (MOST, 1), (MOST, MOST)], id="that grow from one to the largest"),
        pytest.param([(MOST, MOST), (1, 1), (1, 0)], id="that shrink from the largest"),
        pytest.param([(100, 100), (100, 100), (100, 100)], id="of which all convert at once"),
    ],
)  # fmt: skip
def test_any_counts_are_answered(client, reports):
    rows = [
        total(name, f"2026-03-0{day}", n, s, as_of=f"2026-03-0{day + age}")
        for name in ("control", "bold")
        for day in range(1, 7)
        for age, (n, s) in enumerate(reports)
    ]
    post(client, *rows)
    assert readable(client)
    curve = client.get("/experiments/homepage/delay").json()["curve"]
    assert curve == sorted(curve)
    assert 0 <= curve[0] <= curve[-1] == 1


def test_more_successes_than_impressions_are_rejected_in_an_earlier_report_too(client):
    send(client, total(successes=100, as_of="2026-03-05"))
    answer = client.post("/metrics/", json=total(impressions=10, successes=11, as_of="2026-03-02"))
    assert errors(answer) == [("body.successes", "11 successes of only 10 impressions")]


# ---- one report twice


@pytest.mark.parametrize("in_force", [None, "2026-03-10"], ids=["of a new day", "of a day that is stored"])
def test_one_report_with_and_without_its_day_is_one_key_sent_twice(client, in_force):
    """Without as_of it is known through yesterday, or through the day in force."""
    if in_force:
        send(client, total(successes=90, as_of=in_force))
    as_of = in_force or "2026-03-09"
    answer = client.post("/metrics/", json=[total(successes=100), total(successes=101, as_of=as_of)])
    assert [field for field, _ in errors(answer)] == ["body.1"]
    assert [item["successes"] for item in client.get("/metrics/homepage").json().get("items", [])] == (
        [90] if in_force else []
    )


def upload(client, text, **query):
    return client.post("/metrics/bulk", content=text, params=query, headers={"Content-Type": "text/csv"})


HEADER = "experiment_id,variant_id,date,impressions,successes,as_of\n"
HALF = HEADER + "homepage,control,2026-03-01,100,{},\nhomepage,control,2026-03-01,100,{},2026-03-09\n"


def test_an_upload_with_both_names_them_as_conflict_or_counts_them(client):
    assert errors(upload(client, HALF.format(10, 11))) == [
        ("line", "line 3 has the same experiment, variant and date with other values")
    ]
    partial = upload(client, HALF.format(10, 11), mode="partial").json()
    assert (partial["received"], partial["inserted"], partial["superseded"], partial["unchanged"]) == (
        2,
        1,
        1,
        0,
    )
    assert [conflict["line"] for conflict in partial["conflicts"]] == [2]


def test_an_upload_with_both_alike_takes_one(client):
    found = upload(client, HALF.format(10, 10)).json()
    assert (found["inserted"], found["superseded"], found["unchanged"]) == (1, 1, 0)


def test_a_column_as_of_in_half_the_rows_is_read_for_these(client):
    rows = "homepage,control,2026-03-01,100,5,2026-03-01\nhomepage,control,2026-03-01,100,10,\n"
    assert upload(client, HEADER + rows).json()["inserted"] == 2
    assert [item["as_of"] for item in client.get("/metrics/homepage").json()["items"]] == ["2026-03-09"]
    assert [
        item["successes"] for item in client.get("/metrics/homepage?as_of=2026-03-01").json()["items"]
    ] == [5]


def test_a_row_with_a_cell_too_few_is_named(client):
    answer = upload(client, HEADER + "homepage,control,2026-03-01,100,5\n")
    assert errors(answer) == [("line", "5 cells where the header has 6")]


def test_a_header_that_cannot_be_read_names_every_column_there_may_be(client):
    assert "as_of" in errors(upload(client, HEADER.replace("as_of", "asof")))[0][1]


# ---- files


@pytest.fixture
def reported(client):
    post(client, *history())
    return client.get("/experiments/homepage/export")


@pytest.fixture
def tracked(client, clock):
    create(client, source="tracked")
    units = [{"experiment_id": "e", "unit_id": f"u{i}"} for i in range(20)]
    client.post("/assignments", json=units).raise_for_status()
    client.post("/events", json=[event(f"u{i}", "exposure") for i in range(20)]).raise_for_status()
    clock.pass_days(1)
    client.post("/events", json=[event(f"u{i}", "conversion") for i in range(8)]).raise_for_status()
    clock.pass_days(1)
    return client.get("/experiments/e/export")


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("metric_snapshots", {"as_of": "2026-02-01"}),
        ("metric_snapshots", {"as_of": "2026-03-09"}),
        ("metric_snapshots", {"as_of": "8999-12-31"}),
        ("metric_snapshots", {"date": "2025-01-01"}),
        ("metric_snapshots", {"variant_id": "nobody"}),
        ("metric_snapshots", {"impressions": -1}),
        ("metric_snapshots", {"successes": 2**63}),
        ("metric_snapshots", {"successes": 1.5}),
        ("metric_snapshots", {"as_of": None}),
        ("metric_snapshots", {"as_of": "2026-03-04T00:00:00"}),
        ("experiment_metrics", {"as_of": "2026-02-01"}),
        ("experiment_metrics", {"as_of": "0001-01-01"}),
    ],
)
def test_a_file_whose_reports_could_not_have_been_stored_is_rejected_whole(
    reported, elsewhere, part, changes
):
    answer = take(elsewhere, broken(reported, part, **changes)[0])
    assert answer.status_code == 422, answer.text
    assert elsewhere.get("/experiments/homepage").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"received_on": "2026-03-01"},
        {"date": "2025-01-01"},
        {"impressions": 21},
        {"successes": 9},
        {"successes": MOST},
        {"variant_id": "nobody"},
    ],
)
def test_a_file_whose_receptions_exceed_its_totals_is_rejected_whole(tracked, elsewhere, changes):
    sent = [json.loads(line) for line in lines(tracked)]
    place = next(at for at, line in enumerate(sent) if line.get("part") == "received_metrics")
    sent[place]["row"] |= changes
    answer = take(elsewhere, "\n".join(map(json.dumps, sent)))
    assert answer.status_code == 422, answer.text
    assert elsewhere.get("/experiments/e").status_code == 404


def test_unbroken_files_are_still_taken(reported, tracked, elsewhere):
    for file, name in ((reported, "homepage"), (tracked, "e")):
        assert take(elsewhere, file.content).status_code == 201
        assert readable(elsewhere, name)
