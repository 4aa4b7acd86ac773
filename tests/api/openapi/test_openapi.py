"""The API's own description is complete, and the pages that show it load nothing from elsewhere."""

import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from jsonschema_rs import validator_for

from tests.support.openapi.description import DESCRIPTION, OPERATIONS, SCHEMAS, examples

WITH_BODY = [name for name, operation in OPERATIONS.items() if "requestBody" in operation]
every_operation = pytest.mark.parametrize("name", OPERATIONS)


def answers(name, kind):
    found = OPERATIONS[name]["responses"].items()
    return {status: answer for status, answer in found if status.startswith(kind)}


def test_operation_ids_are_distinct_method_names():
    ids = Counter(o["operationId"] for path in DESCRIPTION["paths"].values() for o in path.values())
    assert set(ids.values()) == {1}
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in ids)


@every_operation
def test_an_operation_has_a_group_a_summary_and_a_description(name):
    operation, groups = OPERATIONS[name], {tag["name"] for tag in DESCRIPTION["tags"]}
    assert len(operation["tags"]) == 1
    assert operation["tags"][0] in groups
    assert operation["summary"]
    assert len(operation["description"]) > 20
    assert "Raises" not in operation["description"]


@pytest.mark.parametrize("name", WITH_BODY)
def test_every_body_has_an_example_that_fits_its_schema(name):
    for media_type, media in OPERATIONS[name]["requestBody"]["content"].items():
        assert examples(media), media_type
        check(media)


@every_operation
def test_every_good_answer_has_an_example_that_fits_its_schema(name):
    for status, answer in answers(name, "2").items():
        assert status == "204" or answer["content"]
        for media in answer.get("content", {}).values():
            assert examples(media), status
            check(media)


def check(media):
    validate = validator_for({**media["schema"], "components": {"schemas": SCHEMAS}})
    for example in examples(media):
        assert [error.message for error in validate.iter_errors(example)] == []


OPENFEATURE = {"evaluate_flag", "evaluate_flags"}
"""Their protocol says how errors look, and knows neither 415 nor 422."""


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - OPENFEATURE))
def test_every_error_answer_is_described_as_a_problem(name):
    for answer in (answers(name, "4") | answers(name, "5")).values():
        assert answer["content"].keys() == {"application/problem+json"}
        assert answer["content"]["application/problem+json"]["schema"] == {
            "$ref": "#/components/schemas/Problem"
        }
        assert answer["description"]


@every_operation
def test_an_operation_names_the_errors_it_can_answer(name):
    said, operation = set(OPERATIONS[name]["responses"]), OPERATIONS[name]
    asked = operation.get("parameters", [])
    if name in OPENFEATURE:
        assert {"400", "503"} <= said
    elif "requestBody" in operation:
        assert {"413", "415", "422"} <= said
    if asked and name not in OPENFEATURE:
        assert "422" in said
    if any(parameter["in"] == "path" for parameter in asked):
        assert "404" in said
    if name not in {"check_alive", "read_prometheus_metrics", "list_policies"}:
        assert "503" in said


def test_the_frameworks_own_form_of_errors_is_gone():
    assert not {"HTTPValidationError", "ValidationError"} & SCHEMAS.keys()
    assert SCHEMAS["Problem"]["examples"]


@every_operation
def test_every_parameter_says_what_it_is(name):
    for parameter in OPERATIONS[name].get("parameters", []):
        assert parameter.get("description") or parameter["schema"].get("description"), parameter["name"]


class Links(HTMLParser):
    """Everything a page refers to."""

    def __init__(self, text):
        super().__init__()
        self.found, self.inline = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.found += [given[name] for name in ("src", "href", "action", "spec-url") if given.get(name)]
        self.inline += [name for name in given if name.startswith("on")]
        self.inline += ["script"] if tag == "script" and "src" not in given else []


PAGES = ["/", "/docs", "/redoc"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_refers_to_nothing_elsewhere_and_everything_it_refers_to_is_there(client, path):
    links = Links(client.get(path).text)
    assert links.found
    for link in links.found:
        assert urlsplit(link)[:2] == ("", ""), link
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("path", PAGES)
def test_a_page_carries_its_security_headers(client, path):
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"https?:|\*|unsafe-eval", policy)
    assert "script-src 'self' 'unsafe-inline'" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_inline_script_that_its_policy_would_stop(client, path):
    assert Links(client.get(path).text).inline == []


@pytest.mark.parametrize(
    "asset",
    ["/static/api-docs.css", "/static/swagger.js", "/static/groundhog.svg", "/static/api/swagger-ui.css"],
)
def test_our_styles_and_scripts_load_nothing_from_elsewhere(client, asset):
    text = client.get(asset).text
    assert not re.search(r"(url\(\s*['\"]?|@import\s+['\"]|fetch\(['\"]|src=['\"])(https?:)?//", text)


def test_the_start_page_links_the_rest(client):
    links = set(Links(client.get("/").text).found)
    assert {"/docs", "/redoc", "/openapi.json", "/metrics"} <= links


def test_the_description_is_served_as_it_is(client):
    answer = client.get("/openapi.json")
    assert answer.json() == DESCRIPTION
    assert "servers" not in answer.json()
