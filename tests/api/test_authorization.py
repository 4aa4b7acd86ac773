"""Every operation asks for the key that its description names, and what is no key is refused in words."""

import logging
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.authorization import PERMISSIONS, PUBLIC_OPERATIONS
from app.api.middleware.authentication import extract_api_key
from app.errors import Unauthorized
from app.observability.logs import JsonFormatter
from app.schemas.api_keys import ApiKeyIn
from app.services.access import api_keys
from app.settings import API_KEY, ServiceSettings
from tests.support import ROOT
from tests.support.openapi.description import DESCRIPTION, OPERATIONS
from tests.support.problems import problem
from tests.support.totals import small_total as total

GUARDED = sorted(OPERATIONS.keys() - PUBLIC_OPERATIONS)
LACKING = {"evaluate": ["read"], "report": ["read"], "read": ["report"], "admin": ["report", "read"]}
"""Keys that must not do for an operation of a scope."""


def requests():
    """Every operation but the open ones, as a request."""
    for path, operations in DESCRIPTION["paths"].items():
        for method, operation in operations.items():
            if operation["operationId"] not in PUBLIC_OPERATIONS:
                filled = re.sub(r"{\w+}", "x", path.replace("{date}", "2026-03-01"))
                yield operation["operationId"], method.upper(), filled


@pytest.fixture
def keyed(make_client, clock):
    """A service that asks for keys, and a maker of their headers."""
    client = make_client()
    made = {}

    def headers(*scopes):
        if scopes not in made:
            with client.app.state.database.transaction() as session:
                new = ApiKeyIn(name="a key", scopes=scopes)
                made[scopes] = api_keys.create(session, new, clock.now)[1]
        return {"X-API-Key": made[scopes]}

    for scopes in (["admin"], ["evaluate"], *LACKING.values()):
        headers(*scopes)
    client.headers_of = headers
    return client


def test_every_operation_has_its_least_scope_in_one_table():
    assert PERMISSIONS.keys() == set(GUARDED)
    assert OPERATIONS.keys() >= PUBLIC_OPERATIONS


@pytest.mark.parametrize("scope", ["evaluate", "report", "read", "admin", "none"])
def test_the_page_about_keys_lists_the_operations_of_every_scope(scope):
    page = (ROOT / "docs" / "how-to" / "api-keys.md").read_text()
    row = re.search(rf"^\| {scope} \| (.*) \|$", page, re.MULTILINE)
    asked = (
        {name for name, rule in PERMISSIONS.items() if rule.scope == scope}
        if scope != "none"
        else PUBLIC_OPERATIONS
    )
    assert sorted(re.findall(r"`(\w+)`", row[1])) == sorted(asked)


def test_the_schemes_that_swagger_asks_for_are_described():
    schemes = DESCRIPTION["components"]["securitySchemes"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["api_key"]["in"], schemes["api_key"]["name"]) == ("header", "X-API-Key")


@pytest.mark.parametrize("name", GUARDED)
def test_an_operation_names_its_scope_and_how_it_is_rejected(name):
    operation = OPERATIONS[name]
    assert operation["security"] == [{"bearer": []}, {"api_key": []}]
    assert f"Scope: `{PERMISSIONS[name].scope}`." in operation["description"]
    assert {"401", "403", "429"} <= operation["responses"].keys()


def refused(answer, status):
    """Check a refusal, in the form of the OpenFeature protocol where it is one of its paths."""
    if answer.headers["Content-Type"] == "application/problem+json":
        problem(answer, status)
    else:
        assert (answer.status_code, answer.json()["errorCode"]) == (status, "GENERAL")


def test_no_operation_is_carried_out_without_a_key_or_with_one_that_lacks_the_scope(keyed):
    for name, method, path in requests():
        refused(keyed.request(method, path), 401)
        lacking = keyed.headers_of(*LACKING[PERMISSIONS[name].scope])
        answer = keyed.request(method, path, headers=lacking)
        assert answer.status_code == 403, name
        refused(answer, 403)


def test_no_operation_but_flags_and_events_is_carried_out_with_a_key_for_pages(keyed):
    for name, method, path in requests():
        if PERMISSIONS[name].scope != "evaluate":
            refused(keyed.request(method, path, headers=keyed.headers_of("evaluate")), 403)


def test_every_operation_is_open_to_a_key_of_its_scope(keyed):
    for name, method, path in requests():
        for scopes in ([PERMISSIONS[name].scope], ["admin"]):
            answer = keyed.request(method, path, headers=keyed.headers_of(*scopes))
            assert answer.status_code not in {401, 403, 500}, name


@pytest.mark.parametrize("path", ["/nowhere", "/experiments/a/b/c", "/metrics/..%2Flivez", "/Livez"])
def test_what_is_no_path_of_ours_asks_for_a_key_first(keyed, path):
    problem(keyed.get(path), 401)


def test_a_request_without_a_good_key_is_rejected_whatever_its_body_is(keyed):
    sent = {"Content-Type": "application/json"}
    for key, status in (({}, 401), (keyed.headers_of("read"), 403)):
        problem(keyed.post("/metrics/", content=b"[" * 100_000, headers=sent | key), status)


NO_KEYS = {
    "nothing": "",
    "a word": "secret",
    "another's token": "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
    "no secret": "gh_admin_",
    "a short secret": "gh_admin_0123456789",
    "an unknown id": "gh_ffffffffffff_" + "A" * 43,
    "sql": "gh_' or 1=1 --_" + "A" * 43,
    "a percent sign": "gh_%_" + "%" * 43,
    "a line break": "gh_admin_" + "A" * 40 + "\r\nX-Scope: admin",
    "a null": "gh_admin_\x00" + "A" * 43,
    "other letters": "gh_admin_" + "\xe9" * 43,
    "a JSON web token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
    "a huge one": "gh_admin_" + "A" * 60_000,
}


@pytest.mark.parametrize("sent", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_key_is_rejected_and_not_repeated(keyed, sent):
    value = sent.encode("latin-1")
    for headers in ({b"X-API-Key": value}, {b"Authorization": b"Bearer " + value}):
        answer = keyed.get("/experiments", headers=headers)
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="groundhog"'
        assert not sent[:200].strip() or sent[:200] not in answer.text


def test_a_key_with_any_one_sign_changed_cut_off_or_added_is_rejected(keyed):
    key = keyed.headers_of("admin")["X-API-Key"]
    forged = [key[:-1], key + "A", key[1:], key.upper(), key.swapcase(), f"{key}\t{key}", f"{key},{key}"]
    forged += [key[:i] + ("A" if key[i] != "A" else "B") + key[i + 1 :] for i in range(len(key))]
    for sent in forged:
        assert keyed.get("/experiments", headers={"X-API-Key": sent}).status_code == 401, sent
    assert keyed.get("/experiments", headers={"X-API-Key": key}).status_code == 200


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([b"x-api-key", b"authorization", b"accept"]), st.binary()), max_size=4)
)
def test_any_headers_give_a_text_none_or_a_rejection(headers):
    try:
        sent = extract_api_key(headers)
    except Unauthorized:
        return
    assert sent is None or isinstance(sent, str)
    assert sent is None or api_keys.parse(sent) is None or API_KEY.fullmatch(sent)


def test_a_flood_of_headers_is_looked_through_quickly():
    headers = [(b"x-flood", b"a" * 100)] * 10_000 + [(b"x-api-key", b"gh_a_" + b"A" * 43)]
    assert extract_api_key(headers) == "gh_a_" + "A" * 43


def test_no_secret_reaches_the_log_or_prometheus(keyed, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(JsonFormatter())
    admin = keyed.headers_of("admin")["X-API-Key"]
    forged = admin[:-4] + "AAAA"
    for key in (admin, forged):
        keyed.post("/metrics/", json=total(), headers={"Authorization": f"Bearer {key}"})
        keyed.get("/nowhere", headers={"X-API-Key": key})
    shown = keyed.get("/metrics", headers={"X-API-Key": admin}).text
    secret = admin.split("_", 2)[2][:-4]
    assert len(caplog.records) > 2
    assert secret not in caplog.text
    assert secret not in shown


def test_the_secret_setting_is_not_shown_and_a_wrong_one_not_repeated():
    key = "gh_admin_" + "s3cret" * 8
    assert "s3cret" not in repr(ServiceSettings(admin_key=key, _env_file=None))
    with pytest.raises(ValueError) as wrong:
        ServiceSettings(admin_key="gh_admin_s3cret", _env_file=None)
    assert "s3cret" not in str(wrong.value)
    assert "openssl rand" in str(wrong.value)


def test_a_rejection_is_counted_and_no_made_up_path_becomes_a_label(keyed):
    keyed.get("/made-up-by-a-stranger")
    shown = keyed.get("/metrics", headers=keyed.headers_of("admin")).text
    assert "made-up" not in shown
    assert 'groundhog_http_requests_total{method="GET",route="unmatched",status="401"}' in shown
