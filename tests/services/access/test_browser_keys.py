"""A key in a page, which everyone can read: it evaluates flags and records their events, and nothing else."""

import json
import logging

import pytest
from sqlalchemy import text

from app.api.authorization import PERMISSIONS, PUBLIC_OPERATIONS
from app.observability.logs import JsonFormatter
from app.schemas.api_keys import ApiKeyIn
from app.services.access import api_keys
from tests.support.experiments import FLAGS
from tests.support.openapi.description import DESCRIPTION
from tests.support.problems import problem

SHOP = "https://shop.example"
PAGE = {"Origin": SHOP}
ASKED = {"context": {"targetingKey": "u"}}
MAY = {"evaluate_flag", "evaluate_flags", "record_events"}
TEXT = {"Content-Type": "text/plain;charset=UTF-8"}


@pytest.fixture
def shop(keyed, make_key):
    """A service with flags and other experiments, a key of a page, and one of the server behind it."""
    admin = make_key(keyed, "admin")
    for name, settings in {
        "shop-flag": {"source": "tracked"},
        "shop-rendezvous": {"source": "tracked", "assignment_mode": "rendezvous"},
        "shop-reported": {"source": "reported"},
        "shop-hidden": {"source": "tracked", "flag": False},
        "other-flag": {"source": "tracked"},
    }.items():
        body = {"experiment_id": name, "variants": [{"variant_id": "control"}]} | settings
        assert keyed.post("/experiments", json=body, headers=admin).status_code == 201
    keyed.admin = admin
    keyed.page_key = make_key(keyed, "evaluate", experiment_prefix="shop-", origins=[SHOP])
    return keyed


def event(experiment_id="shop-flag", event_id="1", **more):
    return {"experiment_id": experiment_id, "unit_id": "u", "event_id": event_id, "type": "exposure"} | more


def page(shop, path, body, **headers):
    return shop.post(path, json=body, headers=shop.page_key | PAGE | headers)


def test_it_sees_the_flags_of_its_prefix_and_no_other_experiment(shop):
    found = page(shop, FLAGS, ASKED).json()["flags"]
    assert [flag["key"] for flag in found] == ["shop-flag", "shop-rendezvous"]
    assert page(shop, f"{FLAGS}/shop-flag", ASKED).json()["variant"] == "control"


def test_what_is_no_flag_and_what_does_not_exist_look_alike(shop):
    said = [
        page(shop, f"{FLAGS}/{name}", ASKED).text.replace(name, "x")
        for name in ("shop-reported", "shop-hidden", "shop-nowhere")
    ]
    assert set(said) == {said[0]}
    assert "FLAG_NOT_FOUND" in said[0]
    sent = [event(name) for name in ("shop-reported", "shop-hidden", "shop-nowhere")]
    items = page(shop, "/events", sent).json()["items"]
    assert [item["reason"] for item in items] == ["unknown_experiment"] * 3
    single = [page(shop, "/events", one).json()["detail"].replace(one["experiment_id"], "x") for one in sent]
    assert set(single) == {"there is no flag 'x'"}


def test_it_records_events_of_assigned_units_only(shop):
    assert page(shop, "/events", [event()]).json()["items"][0]["reason"] == "unknown_unit"
    page(shop, f"{FLAGS}/shop-flag", ASKED)
    assert page(shop, "/events", [event()]).json()["counted"] == 1
    assert page(shop, "/events", event("other-flag")).status_code == 403


def test_a_first_exposure_counts_in_mode_rendezvous(shop):
    shown = page(shop, f"{FLAGS}/shop-rendezvous", ASKED).json()
    sent = event("shop-rendezvous", revision=shown["metadata"]["revision"])
    assert page(shop, "/events", sent).json()["counted"] == 1


def test_a_duplicate_does_not_name_the_other_unit(shop):
    for unit in ("u", "secret"):
        page(shop, f"{FLAGS}/shop-flag", {"context": {"targetingKey": unit}})
    page(shop, "/events", event(unit_id="secret"))
    answer = page(shop, "/events", event())
    assert answer.json()["items"][0]["status"] == "duplicate"
    assert "secret" not in answer.text
    assert "'secret'" in shop.post("/events", json=event(), headers=shop.admin).text


def operations():
    """Every operation that needs a key, as a request."""
    values = {"experiment_id": "shop-flag", "key": "shop-flag", "variant_id": "control", "date": "2026-03-01"}
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] not in PUBLIC_OPERATIONS:
                filled = path.format_map(values | {"simulation_id": "x"})
                yield operation["operationId"], method.upper(), filled


def test_every_other_operation_is_forbidden(shop):
    assert {name for name, rule in PERMISSIONS.items() if rule.scope == "evaluate"} == MAY
    for name, method, path in operations():
        answer = shop.request(method, path, json=ASKED, headers=shop.page_key | PAGE)
        assert (answer.status_code == 403) == (name not in MAY), name


@pytest.mark.parametrize(
    "sent", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"{SHOP}.evil.example"}]
)
def test_it_works_in_pages_of_its_origins_only(shop, sent):
    for path, body in ((FLAGS, ASKED), ("/events", event())):
        assert shop.post(path, json=body, headers=shop.page_key | sent).status_code == 403


def test_two_origins_are_none(shop):
    headers = [*(shop.page_key | PAGE).items(), ("Origin", SHOP)]
    assert shop.post("/events", json=event(), headers=headers).status_code == 403


def test_a_key_without_origins_works_from_anywhere(shop, make_key):
    key = make_key(shop, "evaluate", experiment_prefix="shop-")
    assert shop.post(FLAGS, json=ASKED, headers=key).status_code == 200


def test_its_rate_is_limited(shop, make_key):
    key = make_key(shop, "evaluate", requests_per_minute=1, origins=[SHOP]) | PAGE
    assert [shop.post(FLAGS, json=ASKED, headers=key).status_code for _ in range(2)] == [200, 429]


def test_report_and_admin_contain_it(shop, make_key):
    for scope, status in (("report", 200), ("admin", 200), ("read", 403)):
        key = make_key(shop, scope)
        assert shop.post(FLAGS, json=ASKED, headers=key).status_code == status


# ---- what a key may be


def test_origins_are_stored_as_browsers_send_them(shop):
    sent = [
        "HTTPS://Shop.Example",
        "https://shop.example:443",
        "http://localhost:80",
        "http://localhost:3000",
    ]
    new = ApiKeyIn(name="a page", scopes=["evaluate"], origins=sent)
    assert new.origins == [SHOP, SHOP, "http://localhost", "http://localhost:3000"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scopes": ["evaluate", "read"]}, "evaluate goes alone"),
        ({"scopes": ["report"], "origins": [SHOP]}, "origins go with the scope evaluate only"),
        ({"scopes": ["evaluate"], "origins": []}, "at least 1 item"),
        ({"scopes": ["evaluate"], "origins": ["shop.example"]}, "a scheme and a host without a path"),
        ({"scopes": ["evaluate"], "origins": [f"{SHOP}/"]}, "a scheme and a host without a path"),
        ({"scopes": ["evaluate"], "origins": ["https://*.example"]}, "a scheme and a host without a path"),
    ],
)
def test_a_key_that_means_nothing_is_rejected_in_words(fields, message):
    with pytest.raises(ValueError, match=message):
        ApiKeyIn(name="a page", **fields)


# ---- CORS


def preflight(client, path, origin=SHOP, headers="x-api-key, content-type"):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    return client.options(path, headers={"Origin": origin, **asked})


TRACED = "x-api-key,content-type,if-none-match,traceparent,tracestate,baggage,sentry-trace,x-request-id"


@pytest.mark.parametrize("path", ["/events", FLAGS, f"{FLAGS}/shop-flag"])
def test_the_origins_of_keys_may_ask_with_the_headers_of_tracing(shop, path):
    answer = preflight(shop, path, headers=TRACED)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert preflight(shop, path, "https://evil.example").status_code == 400
    assert preflight(shop, path, headers="x-secret").status_code == 400


def test_the_origins_of_the_settings_are_allowed_beside_those_of_keys(make_client, make_key):
    client = make_client(cors_origins="https://other.example")
    make_key(client, "evaluate", origins=[SHOP])
    for origin in (SHOP, "https://other.example"):
        allowed = preflight(client, "/events", origin).headers["Access-Control-Allow-Origin"]
        assert allowed == origin


def test_no_other_path_is_shared(shop):
    for path in ("/experiments", "/metrics/", "/events/more", "/assignments"):
        answer = shop.get(path, headers=shop.admin | PAGE)
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_can_read_why_it_is_rejected(shop):
    answer = shop.post("/events", json=event(), headers={"X-API-Key": "gh_x", **PAGE})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, SHOP)
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


def test_the_origin_of_a_revoked_key_is_no_longer_allowed(make_client, make_key, clock):
    client = make_client(key_cache_seconds=0)
    key = make_key(client, "evaluate", origins=[SHOP])
    assert preflight(client, "/events").status_code == 200
    with client.app.state.database.transaction() as session:
        api_keys.revoke(session, key.key_id, clock.now)
    assert preflight(client, "/events").status_code == 400


# ---- sendBeacon


def beacon(shop, body, key=None, **headers):
    key = shop.page_key if key is None else key
    return shop.post(f"/events?key={key.key}", content=body, headers=TEXT | PAGE | headers)


def test_a_beacon_has_its_key_in_the_query_and_its_json_as_text(shop):
    page(shop, f"{FLAGS}/shop-flag", ASKED)
    answer = beacon(shop, json.dumps([event()]))
    assert (answer.status_code, answer.json()["counted"]) == (200, 1)


@pytest.mark.parametrize("scope", ["report", "admin", "read"])
def test_a_secret_key_in_the_query_is_rejected(shop, make_key, scope):
    answer = beacon(shop, json.dumps([event()]), make_key(shop, scope))
    problem(answer, 403)
    assert "in a header" in answer.json()["detail"]


@pytest.mark.parametrize("path", [FLAGS, f"{FLAGS}/shop-flag", "/experiments"])
def test_no_other_operation_takes_a_key_from_the_query(shop, path):
    answer = shop.post(f"{path}?key={shop.page_key.key}", json=ASKED, headers=PAGE)
    assert answer.status_code == 401


def test_two_keys_in_the_query_or_another_in_a_header_are_rejected(shop, make_key):
    key, other = shop.page_key.key, make_key(shop, "evaluate")
    problem(shop.post(f"/events?key={key}&key={key}", content="[]", headers=TEXT | PAGE), 401)
    problem(shop.post(f"/events?key={key}", content="[]", headers=TEXT | PAGE | other), 401)


def test_a_key_in_the_query_is_neither_logged_nor_stored(shop, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(JsonFormatter())
    secret = shop.page_key.key.split("_", 2)[2]
    page(shop, f"{FLAGS}/shop-flag", ASKED)
    for body in (json.dumps([event()]), "{"):
        assert secret not in beacon(shop, body, **{"Idempotency-Key": "once"}).text
    own = [record for record in caplog.records if record.name != "httpx2"]  # which is the client of this test
    assert len(own) >= 3
    assert secret not in "".join(caplog.handler.format(record) for record in own)
    with shop.app.state.database.transaction() as session:
        scopes = session.scalars(text("select scope from idempotency_keys")).all()
    assert scopes == [f"{shop.page_key.key_id} POST /events"]


def test_other_parameters_of_the_query_mean_nothing_still(shop):
    problem(shop.post(f"/events?key={shop.page_key.key}&date=x", content="[]", headers=TEXT | PAGE), 422)


@pytest.mark.parametrize(("body", "status"), [("{", 422), ("hello", 422), ("", 422), ("[]", 200)])
def test_text_that_is_no_json_is_rejected(shop, body, status):
    assert beacon(shop, body).status_code == status


def test_an_open_service_reads_no_text_from_pages_of_other_sites(make_client):
    """A browser sends text anywhere without asking, and JSON only where a preflight request allowed it."""
    client = make_client(cors_origins=SHOP)
    sent = [
        client.post("/events", content="[]", headers=TEXT | origin).status_code
        for origin in ({"Origin": "https://evil.example"}, PAGE, {})
    ]
    assert sent == [415, 200, 200]
