"""`groundhog load`: files of any length, part by part, and on from where it stopped."""

import datetime as dt
import io
import json
import os
import subprocess
import sys
import time

import psycopg
import pytest

from app.cli import transfer
from app.errors import Invalid, Unavailable
from app.services.metrics import resumable_load
from app.settings import ServiceSettings
from app.storage.database import Database
from tests.support import ROOT

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
HEADER = "experiment_id,variant_id,date,impressions,successes\n"


def row(number, successes=1):
    date = dt.date(2020, 1, 1) + dt.timedelta(days=number)
    return f"big,a,{date},1000,{successes}\n"


def as_json(line):
    cells = line.strip().split(",")
    figures = {"impressions": int(cells[3]), "successes": int(cells[4])}
    return json.dumps({"experiment_id": cells[0], "variant_id": cells[1], "date": cells[2]} | figures) + "\n"


@pytest.fixture
def database(database_url):
    database = Database(ServiceSettings(database_url=database_url))
    yield database
    database.close()


def run(database, content, form="csv", name="file", lines_per_chunk=10):
    source = io.BytesIO(content.encode())
    return resumable_load.load(database, source, form, NOW, ServiceSettings(), name, lines_per_chunk)


def stored(client):
    return client.get("/metrics/big?limit=1000").json()["items"]


def test_a_file_is_stored_part_by_part_and_counted(client, database):
    marks = [mark for mark, _ in run(database, HEADER + "".join(map(row, range(25))))]
    assert [mark.line for mark in marks] == [11, 21, 26]
    assert (marks[-1].received, marks[-1].inserted) == (25, 25)
    assert len(stored(client)) == 25


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_rejected_lines_are_named_by_their_number_in_the_file(database, form):
    lines = [row(number) for number in range(25)]
    lines[3], lines[17] = row(3, successes=2000), row(17, successes=3000)
    content = HEADER + "".join(lines) if form == "csv" else "".join(map(as_json, lines))
    refused = [error.line for _, errors in run(database, content, form) for error in errors]
    assert refused == ([5, 19] if form == "csv" else [4, 18])


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_an_interrupted_load_goes_on_behind_the_last_part_stored(client, database, form):
    lines = [row(number) for number in range(25)]
    content = HEADER + "".join(lines) if form == "csv" else "".join(map(as_json, lines))
    first = run(database, content, form)
    assert next(first)[0].received == 10
    first.close()
    rest = [mark for mark, _ in run(database, content, form)]
    assert [mark.received for mark in rest] == [20, 25]
    assert (rest[-1].inserted, rest[-1].unchanged) == (25, 0)
    assert len(stored(client)) == 25


def test_a_load_that_ended_begins_anew(database):
    content = HEADER + "".join(map(row, range(5)))
    list(run(database, content))
    assert [mark.unchanged for mark, _ in run(database, content)] == [5]


def test_a_load_asked_to_begin_anew_does(database):
    content = HEADER + "".join(map(row, range(25)))
    next(run(database, content))
    resumable_load.delete_checkpoint(database, "file")
    assert [mark.received for mark, _ in run(database, content)] == [10, 20, 25]


def test_another_file_does_not_go_on_where_one_stopped(database):
    next(run(database, HEADER + "".join(map(row, range(25))), name="one"))
    marks = [mark for mark, _ in run(database, HEADER + "".join(map(row, range(25))), name="two")]
    assert marks[0].received == 10


def test_an_overlong_line_is_rejected_and_the_next_ones_are_stored(client, database):
    content = HEADER + row(0) + "x" * 200_000 + "\n" + row(1)
    ((mark, errors),) = run(database, content)
    assert [(error.line, "over the limit" in error.message) for error in errors] == [(3, True)]
    assert (mark.inserted, mark.rejected, mark.offset) == (2, 1, len(content))


def test_a_file_without_a_readable_header_is_rejected(database):
    for content in ("", "when,what\n1,2\n"):
        with pytest.raises(Invalid):
            list(run(database, content))


@pytest.mark.parametrize("before", ["\n", "\ufeff\r\n , ,\r\n\n"], ids=["blank", "blank cells behind a BOM"])
def test_the_header_of_every_part_is_the_first_line_that_is_not_blank(client, database, before):
    content = before + HEADER + "".join(map(row, range(12))) + " \n" + row(12, successes=2000)
    first = run(database, content, lines_per_chunk=5)
    next(first)
    first.close()
    *_, (mark, errors) = run(database, content, lines_per_chunk=5)
    assert (mark.received, mark.inserted, mark.rejected) == (13, 12, 1)
    assert [error.line for error in errors] == [len(content.splitlines())]


def test_a_part_of_long_lines_has_fewer_of_them(database, monkeypatch):
    monkeypatch.setattr(resumable_load, "BYTES_PER_CHUNK", 200_000)
    lines = [row(number).rstrip() + " " * 50_000 + "\n" for number in range(10)]
    marks = [mark.received for mark, _ in run(database, HEADER + "".join(lines), lines_per_chunk=8)]
    assert marks == [4, 8, 10]


def test_a_header_alone_is_nothing_to_store(database):
    assert [mark.received for mark, _ in run(database, HEADER)] == [0]


def command(database_url, *words, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options},
    )


def test_the_command_lists_what_it_rejected_and_says_so_by_its_code(groundhog, database_url, tmp_path):
    file = tmp_path / "daily.csv"
    file.write_text(HEADER + row(0) + row(1, successes=2000))
    code, out, err = groundhog("load", file, DATABASE_URL=database_url)
    assert code == 3, err
    assert out.strip() == "2 lines: 1 inserted, 0 updated, 0 unchanged, 0 superseded, 1 rejected."
    assert "line 3 successes: more successes than impressions" in err


def test_a_load_that_loses_its_database_says_how_far_it_is(capsys):
    def parts():
        yield resumable_load.Checkpoint(line=50_001, offset=500), []
        raise Unavailable("the database cannot be reached")

    with pytest.raises(Unavailable):
        transfer._show(parts(), 1_000, resumable_load.Checkpoint(), "daily.csv")
    told = " ".join(capsys.readouterr().err.split())
    assert "the lines up to 50,001 are stored; the same command continues from there" in told


def test_the_command_reads_standard_input_in_a_given_format(groundhog, database_url):
    load = "load", "-", "--format", "ndjson"
    code, out, err = groundhog(*load, stdin=as_json(row(0)), DATABASE_URL=database_url)
    assert (code, out.split(":")[0]) == (0, "1 lines"), err


@pytest.mark.parametrize("file", ["nothing.csv", "what.is.this", "-"])
def test_a_file_that_cannot_be_read_is_one_sentence(groundhog, database_url, file):
    sentence, *_ = groundhog("load", file, DATABASE_URL=database_url)
    assert sentence.startswith("groundhog: ")
    assert "\n" not in sentence


@pytest.mark.system
def test_a_load_that_was_killed_loses_nothing_and_goes_on(database_url, client, tmp_path):
    """The second part waits for the lock of its experiment, which the test holds until the process is killed."""
    client.post("/experiments", json={"experiment_id": "held"}).raise_for_status()
    file = tmp_path / "big.csv"
    date = dt.date(2020, 1, 1)
    first = (f"big,v{n % 200},{date + dt.timedelta(days=n // 200)},1000,1\n" for n in range(50_000))
    second = (f"held,a,{date + dt.timedelta(days=n)},1000,1\n" for n in range(500))
    file.write_text(HEADER + "".join(first) + "".join(second))
    with psycopg.connect(database_url.replace("+psycopg", "")) as holder:
        holder.execute("select from experiment_versions where experiment_id = 'held' for update")
        process = command(database_url, "load", str(file))
        give_up = time.monotonic() + 300
        while client.get("/metrics/big?limit=1").status_code == 404 and time.monotonic() < give_up:
            time.sleep(0.05)
        process.kill()
        process.communicate(timeout=300)
    out, err = command(database_url, "load", str(file)).communicate(timeout=300)
    assert out.startswith("50,500 lines: 50,500 inserted, 0 updated, 0 unchanged"), out + err


def test_export_and_import_by_command(groundhog, client, database_url, tmp_path, second_database_url):
    client.post("/metrics", json={"experiment_id": "e", "variant_id": "a", "date": "2026-03-09",
                                  "impressions": 10, "successes": 1})  # fmt: skip
    file = tmp_path / "e.ndjson"
    groundhog("export", "e", "--to", file, DATABASE_URL=database_url)
    _, out, err = groundhog("import", file, DATABASE_URL=second_database_url)
    assert out.startswith("Imported e: "), err
    sentence, out, _ = groundhog("export", "nobody", DATABASE_URL=database_url)
    assert (sentence, out) == ("groundhog: there is no experiment 'nobody'", "")


@pytest.mark.system
def test_an_export_that_finds_no_room_on_its_standard_output_says_so(client, database_url):
    client.post("/experiments", json={"experiment_id": "e", "variants": [{"variant_id": "a"}]})
    with open("/dev/full", "wb") as full:
        _, err = command(database_url, "export", "e", stdout=full).communicate(timeout=300)
    assert err == "groundhog: standard output cannot be written: No space left on device\n"


def test_an_export_that_cannot_be_written_and_an_import_that_cannot_be_read_say_where(
    groundhog, client, database_url, tmp_path
):
    client.post("/experiments", json={"experiment_id": "e", "variants": [{"variant_id": "a"}]})
    nowhere = tmp_path / "nowhere" / "e.ndjson"
    sentence, *_ = groundhog("export", "e", "--to", nowhere, DATABASE_URL=database_url)
    assert sentence == f"groundhog: {nowhere} cannot be written: No such file or directory"
    file = tmp_path / "e.ndjson"
    file.write_text(client.get("/experiments/e/export").text.replace('"position":0', '"position":-1'))
    sentence, *_ = groundhog("import", file, DATABASE_URL=database_url)
    first, second = sentence.splitlines()
    assert first.endswith("cannot be read; nothing was imported")
    assert second.endswith(" position: Input should be greater than or equal to 0")
