"""Uploads of any length: which lines are refused, with which numbers, and what is stored then."""

import json

import pytest

from tests.support.problems import problem
from tests.support.totals import small_total as total

HEADER = "experiment_id,variant_id,date,impressions,successes"
CONTENT_TYPES = {"csv": "text/csv", "ndjson": "application/x-ndjson"}


def upload(client, text, form="csv", mode="atomic", **headers):
    body = text if isinstance(text, bytes) else text.encode()
    sent = {"Content-Type": CONTENT_TYPES[form], **headers}
    return client.post(f"/metrics/bulk?mode={mode}", content=body, headers=sent)


def csv(*rows, header=HEADER):
    return "\n".join([header, *rows]) + "\n"


def row(variant_id="control", date="2026-03-01", impressions=100, successes=12, experiment_id="homepage"):
    return f"{experiment_id},{variant_id},{date},{impressions},{successes}"


def ndjson(*totals):
    return "".join(json.dumps(line) + "\n" for line in totals)


def stored(client, experiment_id="homepage"):
    answer = client.get(f"/metrics/{experiment_id}")
    if answer.status_code == 404:
        return None
    return {(item["variant_id"], item["date"]): item["successes"] for item in answer.json()["items"]}


def counts(answer):
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json().items() if isinstance(value, int) and value}


def lines(errors):
    return [(error["line"], error["field"]) for error in errors]


def test_csv_and_ndjson_store_the_same(client):
    assert counts(upload(client, csv(row(), row("bold", successes=15)))) == {"received": 2, "inserted": 2}
    same = ndjson(total(date="2026-03-01"), total(date="2026-03-01", variant_id="bold", successes=15))
    assert counts(upload(client, same, "ndjson")) == {"received": 2, "unchanged": 2}
    assert stored(client) == {("control", "2026-03-01"): 12, ("bold", "2026-03-01"): 15}


@pytest.mark.parametrize(
    "sent", ["application/x-ndjson", "application/jsonl", "application/ndjson; charset=utf-8"]
)
def test_every_name_of_ndjson_is_understood(client, sent):
    assert counts(upload(client, ndjson(total()), "ndjson", **{"Content-Type": sent}))["inserted"] == 1


def test_columns_may_stand_in_any_order_and_money_may_be_among_them(client):
    text = "revenue,successes,impressions,date,variant_id,experiment_id,revenue_sq\n"
    text += "2889556.1865,12,100,2026-03-01,control,homepage,\n"
    assert counts(upload(client, text))["inserted"] == 1
    item = client.get("/metrics/homepage").json()["items"][0]
    assert (item["revenue"], item["revenue_sq"], item["impressions"]) == (2889556.1865, None, 100)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_no_harm(client, form):
    text = (
        csv(row(), "", row("bold"))
        if form == "csv"
        else ndjson(total()) + "\n \n" + ndjson(total(variant_id="b"))
    )
    body = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    assert counts(upload(client, body, form)) == {"received": 2, "inserted": 2}


def test_the_last_line_needs_no_line_end(client):
    assert counts(upload(client, csv(row(), row("bold")).rstrip("\n"))) == {"received": 2, "inserted": 2}


def test_quoted_cells_are_read_as_csv_says(client):
    assert counts(upload(client, csv('"homepage","control",2026-03-01,"100", 12 ')))["inserted"] == 1


def test_of_several_lines_with_one_key_the_last_wins_and_the_others_are_named(client):
    text = csv(row(successes=1), row("bold"), row(successes=2), row(successes=3))
    answer = upload(client, text, mode="partial")
    assert counts(answer) == {"received": 4, "inserted": 2, "superseded": 2}
    assert stored(client)["control", "2026-03-01"] == 3
    assert lines(answer.json()["conflicts"]) == [(2, None), (4, None)]
    assert answer.json()["conflicts"][0]["message"].startswith("line 5 has the same experiment")


def test_an_atomic_upload_with_two_values_for_one_key_stores_nothing(client):
    """As in an array: which of the two is right, only the sender knows."""
    answer = upload(client, csv(row(successes=1), row("bold"), row(successes=2)))
    assert [(error["line"], error["field"]) for error in problem(answer, 422)] == [(2, "line")]
    assert stored(client) is None


def test_the_same_line_twice_is_no_conflict(client):
    answer = upload(client, csv(row(), row()))
    assert counts(answer) == {"received": 2, "inserted": 1, "superseded": 1}
    assert answer.json()["conflicts"] == []


def test_an_upload_names_the_experiments_and_variants_it_registered(client):
    client.post("/metrics/", json=total(variant_id="control"))
    text = csv(row(), row("bold"), row("b", experiment_id="mispelled"))
    assert upload(client, text).json()["registered"] == [
        {"experiment_id": "homepage", "new": False, "variants": ["bold"]},
        {"experiment_id": "mispelled", "new": True, "variants": ["b"]},
    ]
    assert upload(client, text).json()["registered"] == []


def test_a_rejected_line_supersedes_nothing(client):
    text = csv(row(successes=1), row(successes=101))
    assert counts(upload(client, text, mode="partial")) == {"received": 2, "inserted": 1, "rejected": 1}
    assert stored(client) == {("control", "2026-03-01"): 1}


def test_an_upload_may_take_longer_than_any_other_statement(make_client):
    client = make_client(statement_timeout_ms=300)
    answer = upload(client, csv(*[row()] * 60_000))
    assert counts(answer) == {"received": 60_000, "inserted": 1, "superseded": 59_999}


def test_uploading_the_same_again_changes_nothing_not_even_the_revision(client):
    upload(client, csv(row()))
    before = client.get("/allocations/homepage?for_date=2026-03-10").content
    assert counts(upload(client, csv(row()))) == {"received": 1, "unchanged": 1}
    assert client.get("/allocations/homepage?for_date=2026-03-10").content == before


BAD = {
    "a negative count": (row(impressions=-1), "impressions"),
    "a fraction": (row(successes="1.5"), "successes"),
    "a spelled float": (row(impressions="1e3"), "impressions"),
    "an empty count": (row(impressions=""), "impressions"),
    "NaN": (row(impressions="nan"), "impressions"),
    "a count beyond bigint": (row(impressions=2**63), "impressions"),
    "many digits": (row(impressions="9" * 5_000), "impressions"),
    "other digits": (row(impressions="١٠٠"), "impressions"),
    "a date that is none": (row(date="2026-02-30"), "date"),
    "a date without dashes": (row(date="20260301"), "date"),
    "a date of old": (row(date="1899-12-31"), "date"),
    "a date after tomorrow": (row(date="2026-03-12"), "date"),
    "more successes than impressions": (row(successes=101), "successes"),
    "a strange name": (row(variant_id="a b"), "variant_id"),
    "NUL in a name": (row(variant_id="a\0b"), "variant_id"),
    "too few cells": ("homepage,control,2026-03-01,100", None),
    "too many cells": (row() + ",1", None),
    "a line that is not UTF-8": (b"homepage,caf\xe9,2026-03-01,100,12", None),
}


@pytest.mark.parametrize(("bad", "field"), BAD.values(), ids=BAD)
def test_a_bad_csv_line_is_named_by_its_number_and_the_good_ones_are_stored(client, bad, field):
    bad = bad if isinstance(bad, bytes) else bad.encode()
    body = b"\n".join([HEADER.encode(), row().encode(), b"", bad, row("bold").encode()])
    answer = upload(client, body, mode="partial")
    assert counts(answer) == {"received": 3, "inserted": 2, "rejected": 1}
    assert lines(answer.json()["errors"]) == [(4, field)]


@pytest.mark.parametrize(("bad", "field"), BAD.values(), ids=BAD)
def test_one_bad_csv_line_rejects_an_atomic_upload_whole(client, bad, field):
    bad = bad if isinstance(bad, bytes) else bad.encode()
    errors = problem(upload(client, b"\n".join([HEADER.encode(), row().encode(), bad])), 422)
    assert [(error["line"], error["field"]) for error in errors] == [(3, field or "line")]
    assert stored(client) is None


BAD_JSON = {
    "a string as count": (json.dumps(total(impressions="100")), "impressions"),
    "a boolean": (json.dumps(total(impressions=True)), "impressions"),
    "a float": (json.dumps(total(impressions=100.5)), "impressions"),
    "NaN": (json.dumps(total(impressions=float("nan"))), "impressions"),
    "NaN as money": (json.dumps(total(revenue=float("nan"))), "revenue"),
    "infinite money": (json.dumps(total()).replace("100", '100, "revenue": 1e999'), "revenue"),
    "beyond bigint": (json.dumps(total(impressions=2**63)), "impressions"),
    "a number as date": (json.dumps(total(date=0)), "date"),
    "an unknown field": (json.dumps(total(clicks=1)), "clicks"),
    "a missing field": (json.dumps({"experiment_id": "homepage"}), "variant_id"),
    "an array": (json.dumps([total()]), None),
    "no JSON": ("{", None),
    "two documents": ("{} {}", None),
    "5,000 digits": (json.dumps(total()).replace("100", "9" * 5_000), None),
    "deep": ("[" * 5_000, None),
    "NUL in a name": (json.dumps(total(variant_id="a\0b")), "variant_id"),
    "a lone surrogate": (json.dumps(total(variant_id="\ud800")), None),
}


@pytest.mark.parametrize(("bad", "field"), BAD_JSON.values(), ids=BAD_JSON)
def test_a_bad_ndjson_line_is_named_by_its_number_and_the_good_ones_are_stored(client, bad, field):
    text = f"{json.dumps(total())}\n\n{bad}\n{json.dumps(total(variant_id='bold'))}\n"
    answer = upload(client, text, "ndjson", "partial")
    assert counts(answer) == {"received": 3, "inserted": 2, "rejected": 1}
    assert lines(answer.json()["errors"]) == [(3, field)]
    problem(upload(client, text, "ndjson"), 422)


def test_rejections_of_every_kind_come_in_the_order_of_lines(client):
    text = csv(row(date="2026-03-20"), row(successes=200), "x", row(impressions=-1), row("bold"))
    answer = upload(client, text, mode="partial")
    assert lines(answer.json()["errors"]) == [(2, "date"), (3, "successes"), (4, None), (5, "impressions")]


def test_a_line_with_two_errors_is_counted_once(client):
    answer = upload(client, csv(row(date="2026-03-20", successes=200), row()), mode="partial")
    assert counts(answer) == {"received": 2, "inserted": 1, "rejected": 1}


def test_rejected_lines_register_no_experiment_and_no_variant(client):
    text = csv(row(successes=200, experiment_id="new"), row(), row("wrong", successes=200))
    assert counts(upload(client, text, mode="partial")) == {"received": 3, "inserted": 1, "rejected": 2}
    assert client.get("/experiments/new").status_code == 404
    names = [variant["variant_id"] for variant in client.get("/experiments/homepage").json()["variants"]]
    assert names == ["control"]


def test_variants_are_registered_in_the_order_of_lines(client):
    upload(client, csv(row("zebra"), row("ant"), row("control")))
    names = [variant["variant_id"] for variant in client.get("/experiments/homepage").json()["variants"]]
    assert names == ["zebra", "ant", "control"]


def test_an_atomic_failure_in_one_experiment_stores_nothing_in_the_others(client):
    errors = problem(upload(client, csv(row(), row(experiment_id="checkout", successes=101))), 422)
    assert lines(errors) == [(3, "successes")]
    assert stored(client) is stored(client, "checkout") is None


def test_lines_after_a_variants_retirement_are_rejected(client, clock):
    upload(client, csv(row(), row("bold")))
    client.patch("/experiments/homepage/variants/bold", json={"retired_on": "2026-03-10"})
    clock.pass_days(3)
    answer = upload(client, csv(row("bold", "2026-03-10"), row("bold", "2026-03-11")), mode="partial")
    assert counts(answer) == {"received": 2, "inserted": 1, "rejected": 1}
    assert answer.json()["errors"] == [
        {"line": 3, "field": "date", "message": "after the variant's retirement"}
    ]


def test_tomorrow_is_the_experiments_own(client):
    client.post("/experiments", json={"experiment_id": "east", "time_zone": "Pacific/Kiritimati"})
    text = csv(row(date="2026-03-12", experiment_id="east"), row(date="2026-03-12"))
    answer = upload(client, text, mode="partial")
    assert (counts(answer)["inserted"], lines(answer.json()["errors"])) == (1, [(3, "date")])


def test_unknown_names_are_rejected_where_implicit_registration_is_off(make_client):
    client = make_client(auto_register=False)
    client.post("/experiments", json={"experiment_id": "homepage", "variants": [{"variant_id": "control"}]})
    text = csv(row(), row("contrl"), row("bold"), row(experiment_id="nowhere"))
    answer = upload(client, text, mode="partial")
    assert counts(answer) == {"received": 4, "inserted": 1, "rejected": 3}
    errors = answer.json()["errors"]
    assert lines(errors) == [(3, "variant_id"), (4, "variant_id"), (5, "experiment_id")]
    assert "contrl" not in errors[1]["message"]


def test_variants_whose_floors_do_not_fit_are_rejected_and_the_known_ones_are_not(client):
    pair = [{"variant_id": "a"}, {"variant_id": "b"}]
    client.post("/experiments", json={"experiment_id": "homepage", "min_share": 50, "variants": pair})
    answer = upload(client, csv(row("a"), row("c"), row("b")), mode="partial")
    assert counts(answer) == {"received": 3, "inserted": 2, "rejected": 1}
    assert lines(answer.json()["errors"]) == [(3, "variant_id")]
    assert "floor" in answer.json()["errors"][0]["message"]


HEADERS = {
    "a missing column": "experiment_id,variant_id,date,impressions",
    "an unknown column": HEADER + ",clicks",
    "a column twice": HEADER + ",successes",
    "a line of data": row(),
    "semicolons": HEADER.replace(",", ";"),
    "other letters": HEADER.upper(),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("mode", ["atomic", "partial"])
def test_a_header_that_cannot_be_read_is_rejected_in_both_modes_and_the_columns_are_named(
    client, header, mode
):
    errors = problem(upload(client, csv(row(), header=header), mode=mode), 422)
    assert lines(errors) == [(1, "header")]
    assert "experiment_id, variant_id, date, impressions, successes" in errors[0]["message"]
    assert stored(client) is None


def test_an_empty_csv_lacks_its_header_and_an_empty_ndjson_is_empty(client):
    assert lines(problem(upload(client, ""), 422)) == [(1, "header")]
    assert counts(upload(client, HEADER)) == counts(upload(client, "", "ndjson")) == {}


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_line_over_the_limit_is_rejected_and_its_rest_skipped(make_client, form):
    client = make_client(max_line_bytes=1_024)
    long = "x" * 5_000
    text = csv(row(), long, row("bold")) if form == "csv" else ndjson(total(), long, total(variant_id="bold"))
    answer = upload(client, text, form, "partial")
    assert counts(answer) == {"received": 3, "inserted": 2, "rejected": 1}
    assert "GROUNDHOG_MAX_LINE_BYTES" in answer.json()["errors"][0]["message"]
    assert lines(answer.json()["errors"]) == [(3 if form == "csv" else 2, None)]


def test_the_listed_errors_are_capped_and_the_count_is_not(make_client):
    client = make_client(bulk_errors_listed=3)
    text = csv(*[row(successes=200)] * 5, *[row(impressions=-1)] * 5, row())
    answer = upload(client, text, mode="partial")
    assert counts(answer) == {"received": 11, "inserted": 1, "rejected": 10}
    assert lines(answer.json()["errors"]) == [(2, "successes"), (3, "successes"), (4, "successes")]
    refused = upload(client, text)
    assert len(problem(refused, 422)) == 3
    assert refused.json()["detail"].startswith("10 of 11 lines")


@pytest.mark.parametrize(
    "sent", ["application/json", "application/x-www-form-urlencoded", "text/plain", None]
)
def test_a_format_that_is_not_read_is_415_naming_those_that_are(client, sent):
    headers = {"Content-Type": sent} if sent else {}
    answer = client.post("/metrics/bulk", content=csv(row()).encode(), headers=headers)
    problem(answer, 415)
    assert "application/x-ndjson" in answer.json()["detail"]
    assert "text/csv" in answer.json()["detail"]


def test_a_mode_that_is_not_there_is_rejected_and_the_choices_are_named(client):
    errors = problem(upload(client, csv(row()), mode="fast"), 422)
    assert errors == [{"field": "query.mode", "message": "Input should be 'atomic' or 'partial'"}]


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}])
def test_an_upload_over_the_limit_is_413(make_client, key):
    client = make_client(max_bulk_bytes=10_000)
    chunks = (csv(row()).encode() for _ in range(200))
    headers = {"Content-Type": "text/csv", **key}
    problem(client.post("/metrics/bulk", content=chunks, headers=headers), 413)
    assert stored(client) is None


def test_the_limit_of_other_bodies_is_not_that_of_uploads(make_client):
    client = make_client(max_body_bytes=1_024)
    text = csv(*[row(f"v{number}") for number in range(100)])
    assert len(text) > 1_024
    assert counts(upload(client, text)) == {"received": 100, "inserted": 100}


def test_a_rejected_upload_leaves_its_idempotency_key_free(client):
    key = {"Idempotency-Key": "import"}
    problem(upload(client, csv(row(successes=101)), **key), 422)
    assert counts(upload(client, csv(row()), **key)) == {"received": 1, "inserted": 1}
    assert upload(client, csv(row()), **key).headers["Idempotency-Replayed"] == "true"


def test_long_amounts_of_money_are_stored_to_twelve_decimals(client):
    text = csv(row() + ",123456789012345678901234.1234567890123", header=HEADER + ",revenue")
    assert counts(upload(client, text)) == {"received": 1, "inserted": 1}
    with client.app.state.database.transaction() as session:
        found = (
            session.connection().exec_driver_sql("select revenue::text from experiment_metrics").scalar_one()
        )
    assert found == "123456789012345678901234.123456789012"


@pytest.mark.parametrize("amount", ["nan", "inf", "1e25", "1e999", "0x10", "1_000", "1,5", "€5"])
def test_what_is_no_amount_is_rejected_in_csv(client, amount):
    answer = upload(client, csv(row() + f',"{amount}"', header=HEADER + ",revenue"), mode="partial")
    assert lines(answer.json()["errors"]) == [(2, "revenue")]


def test_twenty_thousand_lines_are_counted_right(client):
    text = csv(
        *[row(f"v{n % 20}", f"2025-{n // 600 % 12 + 1:02d}-{n // 20 % 28 + 1:02d}") for n in range(20_000)]
    )
    keys = len(set(text.splitlines()[1:]))
    assert counts(upload(client, text)) == {"received": 20_000, "inserted": keys, "superseded": 20_000 - keys}
