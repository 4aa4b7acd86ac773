"""A log of real decisions, judged over HTTP and on the command line."""

import gzip
import json

import pytest

from app.api.pagination import encode_cursor
from tests.support.command import run

LOG = (
    "arm,propensity,reward,value\n"
    + "red,0.5,1,4\nred,0.5,0,0\nblue,0.5,0,0\nblue,0.5,0,0\nred,0.5,1,2\n" * 20
)
TILTED = LOG.replace("red,0.5", "red,0.75").replace("blue,0.5", "blue,0.25")


@pytest.fixture
def judge(client):
    def post(log=LOG, media="text/csv", **query):
        return client.post("/simulations/replay", content=log, headers={"Content-Type": media}, params=query)

    return post


def test_an_arm_played_always_gets_its_own_mean(judge):
    answer = judge(TILTED)
    assert answer.status_code == 201
    even, blue, red = answer.json()["policies"]
    assert [one["policy"]["kind"] for one in (even, blue, red)] == ["uniform", "always", "always"]
    assert blue["estimates"]["snips"]["mean"] == 0
    assert red["estimates"]["snips"]["mean"] == pytest.approx(2 / 3, abs=1e-12)
    assert answer.json()["log"]["arms"] == ["blue", "red"]


def test_a_policy_that_learns_is_replayed_by_rejection(judge):
    (thompson,) = judge(policy="thompson", passes=5).json()["policies"]
    assert thompson["estimates"] is None
    assert thompson["rejection"]["kept"]["mean"] > 0


def test_the_same_log_in_ndjson_is_judged_the_same(judge):
    names, *rows = (line.split(",") for line in LOG.splitlines())
    objects = [
        {names[0]: row[0], **{n: float(v) for n, v in zip(names[1:], row[1:], strict=True)}} for row in rows
    ]
    told = judge("\n".join(map(json.dumps, objects)), "application/x-ndjson", by_value=True)
    assert told.json()["policies"] == judge(by_value=True).json()["policies"]


def test_the_log_itself_is_not_stored(client, judge):
    run = client.get(judge().headers["Location"]).json()
    assert set(run["request"]["log"]) == {"sha256", "decisions"}


def test_a_replay_is_exported_as_a_summary(client, judge):
    location = judge().headers["Location"]
    assert client.get(f"{location}/export").text.startswith("policy,ips,ips_se,snips")
    assert client.get(f"{location}/export", params={"table": "curve"}).status_code == 404


@pytest.mark.parametrize(
    ("log", "query", "field", "line"),
    [
        (LOG + "red,0,1,4\n", {}, "log.propensity", 102),
        (LOG + "green,0.5,1,4\n", {"arm": ["red", "blue"]}, "log.arm", 102),
        (LOG + "red,0.5,x,4\n", {}, "log.reward", 102),
        ("arm,reward\nred,1\n", {}, "log", 1),
        ("", {}, "log", 1),
        ("arm,propensity,reward\nred,0.5,1\n", {}, "body.log", None),
        (TILTED, {"policy": "thompson"}, "body.policies.0.kind", None),
        (LOG, {"policy": "value_thompson"}, "body.policies.0.kind", None),
        (LOG, {"policy": "nobody"}, "body.policies.0.kind", None),
        (LOG, {"policy": "always:arm=2"}, "body.policies.0.arm", None),
        (LOG, {"policy": '{"kind":"fixed","shares":[0.5,0.4]}'}, "body.policies.0", None),
        (LOG, {"policy": '{"kind":"fixed","shares":[0.5,0.25,0.25]}'}, "body.policies.0.shares", None),
        (LOG, {"policy": "always:arm"}, "body.policies", None),
        (LOG, {"policy": "{"}, "body.policies", None),
        (
            LOG.replace(",4", ",").replace(",2\n", ",\n").replace(",0,0", ",0,"),
            {"by_value": True},
            "body.by_value",
            None,
        ),
        (LOG, {"passes": 0}, "query.passes", None),
    ],
)
def test_a_log_or_policy_that_makes_no_sense_is_rejected(judge, log, query, field, line):
    answer = judge(log, **query)
    assert answer.status_code == 422, answer.text
    fault = answer.json()["errors"][0]
    assert (fault["field"], fault.get("line")) == (field, line)


HALF = '{"arm": "\\ud800", "propensity": 0.5, "reward": 0}\n'


@pytest.mark.parametrize(
    "line", [HALF, HALF.replace("arm", "value"), "[" * 100_000], ids=["arm", "value", "deep"]
)
def test_a_line_of_ndjson_that_no_text_can_be_is_rejected(judge, line):
    answer = judge('{"arm": "red", "propensity": 0.5, "reward": 0}\n' + line, "application/x-ndjson")
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["line"] == 2


@pytest.mark.parametrize("cell", ["r" * 200_000, '"red', "re\0d"], ids=["long", "open", "NUL"])
def test_a_cell_of_csv_that_cannot_be_read_is_no_defect(judge, cell):
    assert judge(f"{LOG}{cell},0.5,1,4\n", arm=["red", "blue"]).status_code == 422


def test_a_log_in_another_form_is_rejected(judge):
    assert judge(media="application/xml").status_code == 415


def test_a_log_that_is_no_utf_8_is_rejected(judge):
    answer = judge('{"arm": "é"}'.encode("latin-1"), "application/x-ndjson")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body")


def test_a_cursor_whose_moment_has_no_zone_is_rejected(client):
    cursor = encode_cursor("2026-03-10T12:00:00", "any")
    answer = client.get("/simulations", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.cursor")


def test_the_command_reads_a_gzipped_log(tmp_path):
    file = tmp_path / "log.csv.gz"
    file.write_bytes(gzip.compress(TILTED.encode()))
    told = run("simulate", "replay", file, "--policy", "uniform", "--policy", "always:arm=1").stdout
    assert "0.66667" in told
