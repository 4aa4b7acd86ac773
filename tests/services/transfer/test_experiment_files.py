"""An experiment leaves one server as a file and enters another, and nothing about it changes."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import psycopg
import pytest
from sqlalchemy import text

from app.services.transfer import export_import
from tests.support.fixtures.transfer import NDJSON, broken, lines, take


def test_an_export_says_what_it_is_and_counts_its_rows(exported):
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    first, *rows, last = [json.loads(line) for line in lines(exported)]
    assert first == {"groundhog_export": 1, "experiment_id": "moved"}
    assert last == {"rows": len(rows)}
    assert {row["part"] for row in rows} >= {"experiments", "variants", "experiment_metrics", "allocations"}


@pytest.mark.parametrize("path", ["", "?for_date=2026-03-11", "?as_of=now", "?for_date=2026-03-15"])
def test_allocations_of_the_import_are_byte_identical(client, clock, exported, elsewhere, path):
    assert take(elsewhere, exported.content).status_code == 201
    here, there = (one.get(f"/allocations/moved{path}") for one in (client, elsewhere))
    assert here.status_code == 200
    assert (there.content, there.headers["etag"]) == (here.content, here.headers["etag"])


def test_the_history_and_the_totals_of_the_import_are_the_same(client, exported, elsewhere):
    take(elsewhere, exported.content)
    for path in ("/allocations/moved/history", "/metrics/moved", "/experiments/moved"):
        assert elsewhere.get(path).content == client.get(path).content


def test_an_import_exports_the_same_file_again(exported, elsewhere):
    take(elsewhere, exported.content)
    assert elsewhere.get("/experiments/moved/export").content == exported.content


def test_whether_it_is_a_flag_moves_with_it(client, exported, elsewhere):
    client.patch("/experiments/moved", json={"flag": True})
    take(elsewhere, client.get("/experiments/moved/export").content)
    assert elsewhere.get("/experiments/moved").json()["flag"] is True


def test_a_file_of_an_earlier_version_lacks_columns_that_came_later(exported, elsewhere):
    content = exported.content.replace(b', "flag":null', b"").replace(b',"flag":null', b"")
    assert content != exported.content
    assert take(elsewhere, content).status_code == 201
    assert elsewhere.get("/experiments/moved").json()["flag"] is None


def test_an_experiment_that_is_there_is_not_overwritten(client, exported):
    answer = take(client, exported.content)
    assert answer.status_code == 409
    assert "already" in answer.json()["detail"]


def test_an_import_sent_twice_under_one_key_is_done_once(exported, elsewhere):
    headers = NDJSON | {"Idempotency-Key": "once"}
    first, second = (
        elsewhere.post("/experiments/import", content=exported.content, headers=headers) for _ in range(2)
    )
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["idempotency-replayed"] == "true"


def test_a_file_that_was_cut_off_is_rejected_whole(exported, elsewhere):
    answer = take(elsewhere, b"".join(lines(exported)[:-1]))
    assert answer.status_code == 422
    assert "truncated" in answer.json()["detail"]
    assert elsewhere.get("/experiments/moved").status_code == 404


@pytest.mark.parametrize(
    ("part", "changes", "field"),
    [
        ("experiment_metrics", {"impressions": "many"}, "impressions"),
        ("experiment_metrics", {"impressions": 2**63}, "impressions"),
        ("experiment_metrics", {"date": "yesterday"}, "date"),
        ("experiment_metrics", {"experiment_id": "another"}, "experiment_id"),
        ("experiment_settings", {"settings": {"policy": {"kind": "magic"}}}, "policy"),
        ("experiments", {"name": "a\0b"}, "name"),
        ("experiments", {"secret": 1}, "secret"),
        ("variants", {"is_control": "yes"}, "is_control"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_line_and_field(exported, elsewhere, part, changes, field):
    content, number = broken(exported, part, **changes)
    answer = take(elsewhere, content)
    assert answer.status_code == 422
    fault = answer.json()["errors"][0]
    assert (fault["line"], fault["field"].split(".")[0]) == (number, field)
    assert elsewhere.get("/experiments/moved").status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"groundhog_export": 2, "experiment_id": "x"}\n',
        b"\xff\n",
        b"[" * 10_000,
    ],
    ids=["empty", "blank", "array", "object", "later format", "not UTF-8", "deep"],
)
def test_what_is_no_export_is_rejected(client, content):
    answer = take(client, content)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["line"] == 1


def test_rows_that_contradict_each_other_are_rejected(exported, elsewhere):
    content = exported.content.splitlines(keepends=True)
    doubled = next(line for line in content if b'"part": "experiment_metrics"' in line)
    rows = len(content) - 2
    sent = [*content[:-1], doubled, json.dumps({"rows": rows + 1}).encode()]
    answer = take(elsewhere, b"".join(sent))
    assert answer.status_code == 422
    assert "experiment_metrics" in answer.json()["detail"]


def test_lines_behind_the_end_are_rejected(exported, elsewhere):
    assert take(elsewhere, exported.content + b"{}\n").status_code == 422


def test_another_content_type_is_rejected_naming_the_right_one(client):
    answer = client.post("/experiments/import", json={})
    assert answer.status_code == 415
    assert "application/x-ndjson" in answer.json()["detail"]


@pytest.mark.parametrize("threshold", [5, None], ids=["of a server", "behind a pooler"])
def test_all_lines_are_as_of_one_moment(client, make_client, exported, threshold):
    reader = make_client(prepare_threshold=threshold)
    with reader.app.state.database.snapshot() as session:
        sent = export_import.export(session, "moved")
        first = next(sent)
        client.delete("/metrics/moved/b/2026-03-11").raise_for_status()
        assert b"".join([first, *sent]) == exported.content


class Slowly(BytesIO):
    """A file whose lines take their time."""

    def readline(self, *size):
        time.sleep(0.1)
        return super().readline(*size)


def test_an_import_may_take_longer_than_a_statement(exported, elsewhere):
    with elsewhere.app.state.database.transaction() as session:
        session.execute(text("set local statement_timeout = 1000"))
        export_import.restore(session, Slowly(exported.content))
    assert elsewhere.get("/experiments/moved/export").content == exported.content


def test_of_many_imports_at_once_one_is_stored_and_the_others_conflict(exported, elsewhere):
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: take(elsewhere, exported.content), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json()["detail"] for answer in answers if answer.status_code == 409} == {
        "there is already an experiment 'moved'; nothing was imported"
    }


def test_an_unknown_experiment_has_no_export(client):
    assert client.get("/experiments/nobody/export").status_code == 404


DERIVED = {"audit", "delay_evidence", "deleted_experiments", "reports_by_day"}
"""Tables with experiments in them that are not theirs, or follow from others of theirs."""


def test_every_table_of_an_experiment_is_exported(migrated_url):
    with psycopg.connect(migrated_url.replace("+psycopg", "")) as connection:
        named = connection.execute(
            "select table_name from information_schema.columns"
            " where table_schema = 'public' and column_name = 'experiment_id'"
        )
        assert {row[0] for row in named} - DERIVED == set(export_import.PARTS)
