"""What must be refused is refused, in one form, and leaves nothing behind."""

import base64
import json

import pytest

from app.bandits.policies.registry import POLICIES
from app.errors import Invalid
from app.schemas.experiments.settings import StoredSettings
from app.services.experiments.lifecycle import apply_merge_patch
from tests.support.problems import fields, problem
from tests.support.totals import small_total as total

pytestmark = pytest.mark.usefixtures("nothing_is_stored")
JSON = {"Content-Type": "application/json"}


def post_text(service, text, path="/metrics/", **headers):
    return service.post(path, content=text, headers={**JSON, **headers})


def with_value(field, text):
    """The JSON of a total whose one field is the given JSON text."""
    return json.dumps(total(**{field: "@"})).replace('"@"', text)


NOT_COUNTS = {
    "negative": "-1",
    "a boolean": "true",
    "a string": '"10"',
    "a fraction": "1.5",
    "not a number": "NaN",
    "infinity": "-Infinity",
    "an overflowing float": "1e999",
    "null": "null",
    "a list": "[1]",
    "one more than a bigint holds": str(2**63),
    "4,000 digits": "9" * 4_000,
}


@pytest.mark.parametrize("field", ["impressions", "successes"])
@pytest.mark.parametrize("text", NOT_COUNTS.values(), ids=NOT_COUNTS)
def test_what_is_no_count_is_rejected(service, field, text):
    assert fields(post_text(service, with_value(field, text)), 422) == [f"body.{field}"]


@pytest.mark.parametrize("field", ["revenue", "revenue_sq"])
@pytest.mark.parametrize("text", ["NaN", "Infinity", "-1e999", '"1"', "true", "1e25", "9" * 4_000])
def test_what_is_no_amount_is_rejected(service, field, text):
    assert fields(post_text(service, with_value(field, text)), 422) == [f"body.{field}"]


def test_a_negative_sum_of_squares_is_rejected(service):
    assert fields(service.post("/metrics/", json=total(revenue_sq=-0.01)), 422) == ["body.revenue_sq"]


def test_more_successes_than_impressions_are_rejected(service):
    answer = service.post("/metrics/", json=[total(), total(variant_id="bold", impressions=10, successes=11)])
    assert problem(answer, 422) == [
        {"field": "body.1.successes", "message": "11 successes of only 10 impressions"}
    ]


NOT_DATES = ["0", "20230715", "2023-02-30", "1899-12-31", "0001-01-01", "2023-7-15", "2023-07-15T00:00:00"]
NOT_DATES += ["", " 2023-07-15", "2023-07-15 ", "10000-01-01", "٢٠٢٣-٠٧-١٥", "2023-07-15\x00", "-2023-07-15"]


@pytest.mark.parametrize("text", NOT_DATES)
def test_what_is_no_iso_date_is_rejected_in_a_body(service, text):
    assert fields(service.post("/metrics/", json=total(date=text)), 422) == ["body.date"]


@pytest.mark.parametrize("text", NOT_DATES)
def test_what_is_no_iso_date_is_rejected_in_a_query(service, text):
    answer = service.get("/allocations/homepage", params={"for_date": text})
    assert fields(answer, 422) == ["query.for_date"]


@pytest.mark.parametrize("value", [0, 1689379200, 1.5, True, None, ["2023-07-15"]])
def test_a_number_is_no_date(service, value):
    assert fields(service.post("/metrics/", json=total(date=value)), 422) == ["body.date"]


@pytest.mark.parametrize("field", ["since", "until"])
def test_a_page_of_metrics_wants_iso_dates(service, field):
    assert fields(service.get(f"/metrics/homepage?{field}=20230715"), 422) == [f"query.{field}"]


@pytest.mark.parametrize("date", ["2026-03-12", "2026-04-01", "9999-12-31"])
def test_a_date_after_tomorrow_is_neither_allocated_nor_stored(service, date):
    assert fields(service.get(f"/allocations/homepage?for_date={date}"), 422) == ["query.for_date"]
    assert fields(service.get(f"/allocations/homepage?as_of=now&for_date={date}"), 422) == ["query.for_date"]
    assert fields(service.post("/metrics/", json=total(date=date)), 422) == ["body.date"]


@pytest.mark.parametrize(("zone", "tomorrow", "after"), [("east", "12", "13"), ("west", "11", "12")])
def test_tomorrow_is_the_experiments_own(service, zone, tomorrow, after):
    refused = service.get(f"/allocations/{zone}?for_date=2026-03-{after}")
    assert f"Input should be 2026-03-{tomorrow}" in problem(refused, 422)[0]["message"]
    row = total(experiment_id=zone, variant_id="a", date=f"2026-03-{after}")
    assert (
        f"after tomorrow (2026-03-{tomorrow} "
        in problem(service.post("/metrics/", json=row), 422)[0]["message"]
    )


def test_a_variant_takes_no_totals_after_its_retirement(service):
    answer = service.post("/metrics/", json=total(experiment_id="retired", variant_id="b", date="2026-03-06"))
    assert problem(answer, 409) == [{"field": "body.date", "message": "'b' retired on 2026-03-05"}]


@pytest.mark.parametrize(
    "path",
    [
        "/metrics/nowhere",
        "/allocations/nowhere",
        "/allocations/nowhere?for_date=2023-07-16",
        "/allocations/nowhere?as_of=now",
        "/allocations/nowhere?for_date=2023-07-16&revision=0123456789abcdef",
        "/allocations/homepage?for_date=2023-07-16&revision=0123456789abcdef",
        "/allocations/nowhere/history",
        "/experiments/nowhere",
        "/nowhere",
        "/static/nowhere.js",
        "/static/%00",
        "/static/%2e%2e/pages.py",
        "/static/" + "x" * 5_000,
    ],
)
def test_what_is_not_there_is_404(service, path):
    problem(service.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/experiments/nowhere", {"name": "x"}),
        ("POST", "/experiments/nowhere/variants", {"variant_id": "a"}),
        ("PATCH", "/experiments/nowhere/variants/a", {"name": "x"}),
        ("PATCH", "/experiments/homepage/variants/nobody", {"name": "x"}),
        ("DELETE", "/experiments/nowhere/variants/a", None),
        ("DELETE", "/experiments/homepage/variants/nobody", None),
        ("DELETE", "/metrics/nowhere/a/2026-03-01", None),
        ("DELETE", "/metrics/homepage/control/2026-03-09", None),
    ],
)
def test_what_is_not_there_cannot_be_changed(service, method, path, body):
    problem(service.request(method, path, json=body), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/metrics"), ("DELETE", "/experiments"), ("PATCH", "/allocations/homepage"), ("POST", "/livez")],
)
def test_a_method_that_is_not_there_is_405_and_the_answer_lists_the_others(service, method, path):
    answer = service.request(method, path)
    problem(answer, 405)
    assert answer.headers["Allow"] == {"/metrics": "GET, HEAD, POST", "/experiments": "GET, HEAD, POST"}.get(
        path, "GET, HEAD"
    )


def test_the_same_key_twice_is_rejected_and_both_places_are_named(service):
    answer = service.post("/metrics/", json=[total(), total(variant_id="bold"), total(successes=1), total()])
    assert [(error["field"], "body.0;" in error["message"]) for error in problem(answer, 422)] == [
        ("body.2", True),
        ("body.3", True),
    ]


@pytest.mark.parametrize(
    ("path", "method"), [("/metrics/", "POST"), ("/experiments", "POST"), ("/experiments/homepage", "PATCH")]
)
@pytest.mark.parametrize(
    "sent", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", None]
)
def test_a_body_that_does_not_say_it_is_json_is_415_naming_what_to_send(service, path, method, sent):
    answer = service.request(
        method, path, content='{"name": "x"}', headers={"Content-Type": sent} if sent else {}
    )
    problem(answer, 415)
    assert "Content-Type: application/json" in answer.json()["detail"]
    assert (sent or "no Content-Type") in answer.json()["detail"]


def test_a_body_that_declares_more_than_the_limit_is_413(service):
    problem(post_text(service, b" " * 2_000_001), 413)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
@pytest.mark.parametrize("path", ["/metrics/", "/experiments", "/experiments/homepage/variants"])
def test_a_streamed_body_that_grows_over_the_limit_is_413(service, path, headers):
    chunks = (b" " * 100_000 for _ in range(21))
    problem(service.post(path, content=chunks, headers={**JSON, **headers}), 413)


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/metrics/", total(clicks=1), "body.clicks"),
        ("POST", "/metrics/", [total(), total(clicks=1)], "body.1.clicks"),
        ("POST", "/experiments", {"experiment_id": "x", "seed": 1}, "body.seed"),
        ("POST", "/experiments", {"experiment_id": "x", "prior": {"c": 1}}, "body.prior.c"),
        ("POST", "/experiments", {"experiment_id": "x", "variants": [{"variant_id": "a", "w": 1}]},
         "body.variants.0.w"),
        ("POST", "/experiments", {"experiment_id": "x", "policy": {"kind": "thompson", "k": 1}}, "body.policy"),
        ("PATCH", "/experiments/homepage", {"experiment_id": "y"}, "body.experiment_id"),
        ("PATCH", "/experiments/homepage", {"burn_in": {"weeks": 1}}, "body.burn_in.weeks"),
        ("PATCH", "/experiments/homepage/variants/bold", {"variant_id": "y"}, "body.variant_id"),
    ],
)  # fmt: skip
def test_an_unknown_field_is_named(service, method, path, body, field):
    assert fields(service.request(method, path, json=body), 422) == [field]


@pytest.mark.parametrize("kind", ["ucb", "", "Thompson", "thompson\0", "x" * 5_000])
def test_an_unknown_policy_is_rejected_and_the_choices_are_named(service, kind):
    made = service.post("/experiments", json={"experiment_id": "x", "policy": {"kind": kind}})
    changed = service.patch("/experiments/homepage", json={"policy": {"kind": kind}})
    for answer in (made, changed):
        message = problem(answer, 422)[0]["message"]
        assert all(name in message for name in POLICIES)


@pytest.mark.parametrize("kind", [5, True, ["thompson"], {}])
def test_a_policys_kind_is_a_string(service, kind):
    made = service.post("/experiments", json={"experiment_id": "x", "policy": {"kind": kind}})
    assert fields(made, 422) == ["body.policy.kind"]


HUGE = "1" + "0" * 400
BAD_SETTINGS = [
    ("prior.a", '{"prior": {"a": 0}}'),
    ("prior.b", '{"prior": {"b": -1}}'),
    ("prior.b", '{"prior": {"b": 5e-324}}'),
    ("prior.a", '{"prior": {"a": NaN}}'),
    ("prior.a", '{"prior": {"a": Infinity}}'),
    ("prior.a", '{"prior": {"a": "1"}}'),
    ("prior.a", '{"prior": {"a": true}}'),
    ("prior.a", '{"prior": {"a": 1e13}}'),
    ("prior.a", '{"prior": {"a": ' + HUGE + "}}"),
    ("prior", '{"prior": 1}'),
    ("policy", '{"policy": {"kind": "thompson", "epsilon": 0.1}}'),
    ("policy", '{"policy": {"kind": "epsilon_greedy", "epsilon": 2}}'),
    ("policy", '{"policy": {"kind": "epsilon_greedy", "epsilon": NaN}}'),
    ("policy", '{"policy": {"kind": "epsilon_greedy", "epsilon": "0.1"}}'),
    ("policy", '{"policy": {"kind": "epsilon_greedy", "epsilon": true}}'),
    ("policy", '{"policy": {"kind": "epsilon_greedy", "epsilon": ' + HUGE + "}}"),
    ("policy", '{"policy": {"kind": "top_two_thompson", "beta": 1.5}}'),
    ("policy", '{"policy": {"kind": "fixed"}}'),
    ("policy", '{"policy": {"kind": "fixed", "shares": [100]}}'),
    ("policy", '{"policy": {"kind": "fixed", "shares": {"control": 99}}}'),
    ("policy", '{"policy": {"kind": "fixed", "shares": {"control": NaN}}}'),
    ("policy", '{"policy": {"kind": "fixed", "shares": {"a\\u0000": 100}}}'),
    ("policy", '{"policy": {"kind": "fixed", "shares": {"\\ud800": 100}}}'),
    ("policy.shares.nobody", '{"policy": {"kind": "fixed", "shares": {"nobody": 100}}}'),
    ("objective", '{"objective": "profit"}'),
    ("currency", '{"currency": "euro"}'),
    ("window_days", '{"window_days": 0}'),
    ("window_days", '{"window_days": 7.5}'),
    ("half_life_days", '{"half_life_days": 0}'),
    ("half_life_days", '{"half_life_days": NaN}'),
    ("half_life_days", '{"half_life_days": ' + HUGE + "}"),
    ("adjust", '{"adjust": "week"}'),
    ("min_share.nobody", '{"min_share": {"nobody": 1}}'),
    ("min_share.control", '{"min_share": {"control": 101}}'),
    ("fixed_share.nobody", '{"fixed_share": {"nobody": 1}}'),
    ("fixed_share.control", '{"fixed_share": {"control": NaN}}'),
    ("maturity_days", '{"maturity_days": -1}'),
    ("stale_after_days", '{"stale_after_days": 3651}'),
    ("late_conversions", '{"late_conversions": 1}'),
    ("stop.rule", '{"stop": {"rule": "soon"}}'),
    ("stop.threshold", '{"stop": {"threshold": 0}}'),
    ("min_share", '{"min_share": -0.1}'),
    ("min_share", '{"min_share": 100.1}'),
    ("min_share", '{"min_share": NaN}'),
    ("min_share", '{"min_share": "5"}'),
    ("min_share", '{"min_share": true}'),
    ("burn_in.days", '{"burn_in": {"days": -1}}'),
    ("burn_in.days", '{"burn_in": {"days": 1.5}}'),
    ("burn_in.days", '{"burn_in": {"days": 100000}}'),
    ("burn_in.impressions", '{"burn_in": {"impressions": 9223372036854775808}}'),
    ("burn_in.successes", '{"burn_in": {"successes": true}}'),
    ("burn_in.share", '{"burn_in": {"share": 101}}'),
    ("time_zone", '{"time_zone": "Mars/Base"}'),
    ("time_zone", '{"time_zone": "utc"}'),
    ("time_zone", '{"time_zone": ""}'),
    ("time_zone", '{"time_zone": "../../etc/passwd"}'),
    ("time_zone", '{"time_zone": "UTC\\u0000"}'),
    ("name", '{"name": "a\\u0000b"}'),
    ("name", '{"name": "\\ud800"}'),
    ("name", json.dumps({"name": "x" * 2_001})),
    ("description", '{"description": 5}'),
]


@pytest.mark.parametrize(("field", "text"), BAD_SETTINGS)
def test_a_bad_setting_is_named_at_creation(service, field, text):
    answer = post_text(service, '{"experiment_id": "x", ' + text[1:], "/experiments")
    assert fields(answer, 422) == [f"body.{field}"]


@pytest.mark.parametrize(("field", "text"), BAD_SETTINGS)
def test_a_bad_setting_is_named_in_a_change(service, field, text):
    answer = service.patch("/experiments/homepage", content=text, headers=JSON)
    assert fields(answer, 422) == [f"body.{field}"]


def test_settings_nested_beyond_reason_are_rejected():
    deep: dict[str, object] = {}
    for _ in range(5_000):
        deep = {"prior": deep}
    with pytest.raises(Invalid, match="nested too deeply"):
        apply_merge_patch(StoredSettings(), deep)


def test_variants_of_a_new_experiment_are_distinct_and_have_one_control(service):
    def create(*variants):
        return service.post("/experiments", json={"experiment_id": "x", "variants": variants})

    problem(create({"variant_id": "a"}, {"variant_id": "a"}), 422)
    problem(create({"variant_id": "a", "is_control": True}, {"variant_id": "b", "is_control": True}), 422)
    assert fields(create({"variant_id": "a", "is_control": 1}), 422) == ["body.variants.0.is_control"]


def test_what_is_there_already_is_a_conflict(service):
    problem(service.post("/experiments", json={"experiment_id": "homepage"}), 409)
    problem(service.post("/experiments/homepage/variants", json={"variant_id": "bold"}), 409)


def test_a_variant_with_impressions_is_not_deleted(service):
    problem(service.delete("/experiments/homepage/variants/bold"), 409)


@pytest.mark.parametrize("date", ["2026-03-09", "1900-01-01"])
def test_a_variant_does_not_retire_in_the_past(service, date):
    answer = service.patch("/experiments/homepage/variants/bold", json={"retired_on": date})
    assert fields(answer, 422) == ["body.retired_on"]


def test_floors_that_do_not_fit_are_rejected_at_creation(service):
    pair = [{"variant_id": "a"}, {"variant_id": "b"}]
    answer = service.post("/experiments", json={"experiment_id": "x", "min_share": 50.1, "variants": pair})
    assert fields(answer, 422) == ["body.min_share"]
    assert "2 variants" in answer.json()["detail"]


def test_floors_and_fixed_shares_that_do_not_fit_together_are_rejected(service):
    change = {"min_share": {"bold": 41}, "fixed_share": {"control": 60}}
    assert fields(service.patch("/experiments/homepage", json=change), 422) == ["body.fixed_share"]


@pytest.mark.parametrize(
    "change",
    [
        {"window_days": 7, "half_life_days": 3},
        {"objective": "value"},
        {"currency": "EUR"},
        {"objective": "value", "currency": "EUR", "policy": {"kind": "thompson"}},
        {"policy": {"kind": "value_thompson"}},
        {"adjust": "day", "late_conversions": True},
        {"objective": "value", "currency": "EUR", "policy": {"kind": "value_thompson"}, "adjust": "day"},
    ],
)
def test_settings_that_have_no_meaning_together_are_rejected(service, change):
    problem(service.patch("/experiments/homepage", json=change), 422)
    problem(service.post("/experiments", json={"experiment_id": "x", **change}), 422)


def test_floors_that_do_not_fit_are_rejected_in_a_change(service):
    assert fields(service.patch("/experiments/homepage", json={"min_share": 51}), 422) == ["body.min_share"]


def test_a_variant_whose_floor_does_not_fit_is_not_added(service):
    answer = service.post("/experiments/full/variants", json={"variant_id": "c"})
    assert fields(answer, 422) == ["body.min_share"]


def test_a_variant_whose_floor_does_not_fit_is_not_registered_on_the_way(service):
    rows = [total(experiment_id="full", variant_id=name) for name in "abc"]
    assert fields(service.post("/metrics/", json=rows), 422) == ["body.min_share"]


def test_an_array_over_the_limit_is_rejected_before_its_rows_are_stored(service):
    rows = [total(variant_id=f"v{number}") for number in range(5_001)]
    assert "5000" in problem(service.post("/metrics/", json=rows), 422)[0]["message"]


def test_an_empty_array_stores_nothing_and_is_no_error(service):
    answer = service.post("/metrics/", json=[])
    assert (answer.status_code, answer.json()["received"]) == (200, 0)


UNREADABLE = {
    "nothing": b"",
    "null": b"null",
    "a number": b"5",
    "a string": b'"total"',
    "cut off": b'{"experiment_id": "homepage"',
    "a trailing comma": b'{"experiment_id": "homepage",}',
    "two documents": b"{}{}",
    "not UTF-8": b'{"experiment_id": "\xff"}',
    "arrays 90,000 deep": b"[" * 90_000 + b"]" * 90_000,
    "objects 30,000 deep": b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
    "objects 900 deep": b'{"a":' * 900 + b"1" + b"}" * 900,
    "5,000 digits": json.dumps(total()).replace("100", "9" * 5_000).encode(),
    "a key of 150,000 letters": json.dumps(total(**{"k" * 150_000: 1})).encode(),
    "1,000 unknown keys": json.dumps(total(**{f"{n}-{'k' * 500}": 1 for n in range(1_000)})).encode(),
    "a lone surrogate as key": b'{"\\ud800": 1}',
    "an array of numbers": b"[1, null, []]",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_a_total_is_rejected(service, body):
    assert all(field.startswith("body") for field in fields(post_text(service, body), 422))


STRANGE_NAMES = {
    "NUL": "a\0b",
    "CRLF": "a\r\nSet-Cookie: x",
    "a newline at the end": "control\n",
    "SQL": "a'; drop table variants; --",
    "a lone surrogate": "\ud800",
    "a right-to-left mark": "a\u202eb",
    "a slash": "a/b",
    "dots first": "../x",
    "nothing": "",
    "a space": " ",
    "129 letters": "x" * 129,
    "another alphabet": "контроль",
}


@pytest.mark.parametrize("field", ["experiment_id", "variant_id"])
@pytest.mark.parametrize("name", STRANGE_NAMES.values(), ids=STRANGE_NAMES)
def test_a_strange_name_is_rejected_in_a_body(service, field, name):
    answer = post_text(service, json.dumps(total(**{field: name})))
    assert fields(answer, 422) == [f"body.{field}"]


@pytest.mark.parametrize("name", ["a%00b", "a%0D%0Ab", "%ff", "a'%20or%201=1--", "x" * 129, "%D0%BA", ".a"])
@pytest.mark.parametrize(
    "path", ["/metrics/{}", "/allocations/{}", "/allocations/{}/history", "/experiments/{}"]
)
def test_a_strange_name_is_rejected_in_a_path(service, path, name):
    assert fields(service.get(path.format(name)), 422) == ["path.experiment_id"]


def encoded(place: object) -> str:
    text = place if isinstance(place, bytes) else json.dumps(place).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


CURSORS = {
    "nothing": "",
    "no base64": "!!!!",
    "one letter": "x",
    "random base64": "q83vEjRWeJA",
    "another alphabet": "é",
    "NUL": "a\0b",
    "null": encoded(None),
    "a number": encoded(5),
    "a string": encoded("ab"),
    "an object": encoded({}),
    "an empty list": encoded([]),
    "too many parts": encoded(["2026-03-01", "control", "x"]),
    "NUL inside": encoded(["2026-03-01", "a\0b"]),
    "a lone surrogate inside": encoded(["2026-03-01", "\ud800"]),
    "an impossible date": encoded(["2026-02-30", "control"]),
    "a number as date": encoded([0, "control"]),
    "a boolean as number": encoded(["2026-03-01", True]),
    "a huge number": encoded(["2026-03-01", 2**63]),
    "NaN": encoded(b"[NaN, NaN]"),
    "no JSON": encoded(b"\xff\xfe"),
    "deep": encoded(b"[" * 440),
    "too long": "A" * 601,
}


@pytest.mark.parametrize("path", ["/metrics/homepage", "/allocations/homepage/history", "/experiments"])
@pytest.mark.parametrize("cursor", CURSORS.values(), ids=CURSORS)
def test_a_cursor_that_the_service_did_not_give_is_rejected(service, path, cursor):
    assert fields(service.get(path, params={"cursor": cursor}), 422) == ["query.cursor"]


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "1e3", "true", "NaN", "", "1" * 5_000])
def test_a_page_has_1_to_1000_items(service, limit):
    assert fields(service.get("/experiments", params={"limit": limit}), 422) == ["query.limit"]


@pytest.mark.parametrize("key", ["", "a b", "\x01", "x" * 256, "\xe9"])
@pytest.mark.parametrize("path", ["/metrics/", "/experiments", "/metrics/bulk"])
def test_a_bad_idempotency_key_is_rejected(service, path, key):
    sent = "text/csv" if path.endswith("bulk") else "application/json"
    headers = {b"Content-Type": sent.encode(), b"Idempotency-Key": key.encode("latin-1")}
    answer = service.post(path, content=json.dumps(total()), headers=headers)
    assert "header.Idempotency-Key" in fields(answer, 422)


@pytest.mark.parametrize("tag", ["", "x", '"x"', 'W/"x"', ",", "\xff", '"' + "0" * 5_000 + '"'])
def test_a_change_under_another_etag_is_rejected(service, tag):
    headers = {b"Content-Type": b"application/json", b"If-Match": tag.encode("latin-1")}
    problem(service.patch("/experiments/homepage", content='{"name": "x"}', headers=headers), 412)


@pytest.mark.parametrize(
    "query", ["revision=0123456789abcdef", "revision=x&for_date=2026-03-01", "as_of=then",
              "as_of=now&revision=0123456789abcdef&for_date=2026-03-01"]
)  # fmt: skip
def test_a_query_without_a_meaning_is_rejected(service, query):
    problem(service.get(f"/allocations/homepage?{query}"), 422)


@pytest.mark.parametrize("host", ["", "[", "a b", "a/b", "\xff"])
def test_a_strange_host_header_is_no_error(service, host):
    headers = {b"Host": host.encode("latin-1")}
    assert service.get("/experiments/homepage", headers=headers).status_code == 200


def test_a_misspelt_parameter_is_rejected_and_not_read_as_its_default(service):
    answer = service.get("/allocations/homepage?fordate=2026-03-02")
    assert fields(answer, 422) == ["query.fordate"]
    assert "for_date" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("value", ['"\\ud800"', '{"a": "\\udc00"}', '{"\\ud800": 1}'])
def test_half_a_character_is_no_value_of_a_variant(service, value):
    made = f'{{"experiment_id": "halves", "variants": [{{"variant_id": "a", "value": {value}}}]}}'
    assert fields(post_text(service, made, "/experiments"), 422) == ["body.variants.0.value"]
    assert service.get("/experiments/halves").status_code == 404


def test_more_variants_than_an_experiment_may_have_are_rejected(service):
    answer = service.post("/metrics/", json=[total(variant_id=f"v{i}") for i in range(1_001)])
    assert "over 1000" in answer.json()["detail"]
