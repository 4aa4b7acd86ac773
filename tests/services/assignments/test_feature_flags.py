"""The flags' own protocol: reasons, errors, entity tags, limits, and which experiments are flags."""

import json

import pytest

from app.api.routes import ofrep
from app.services.assignments.bucketing import AssignmentResult
from tests.support.experiments import FLAGS

TWO = [{"variant_id": "control", "value": 1.0}, {"variant_id": "bold", "value": {"size": 10.0}}]


@pytest.fixture
def create(client):
    def create(experiment_id="e", **settings):
        body = {"experiment_id": experiment_id, "variants": TWO, "source": "tracked"} | settings
        assert client.post("/experiments", json=body).status_code == 201

    return create


@pytest.fixture
def evaluate(client):
    def evaluate(key="e", unit="u", status=200, headers=None, **context):
        path = FLAGS if key is None else f"{FLAGS}/{key}"
        body = {"context": {"targetingKey": unit, **context}}
        answer = client.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer

    return evaluate


def test_a_drawn_unit_is_a_split(create, evaluate, client):
    create()
    found = evaluate().json()
    variant = found["variant"]
    assert found == {
        "key": "e",
        "reason": "SPLIT",
        "variant": variant,
        "value": {"control": 1.0, "bold": {"size": 10.0}}[variant],
        "metadata": {
            "reason": "drawn",
            "propensity": 0.5,
            "revision": client.get("/allocations/e").json()["revision"],
        },
    }


def test_an_evaluation_assigns_and_stays(create, evaluate, client):
    create()
    variant = evaluate().json()["variant"]
    stored = client.get("/assignments/e?unit_id=u").json()
    assert (stored["variant_id"], stored["exposed_at"]) == (variant, None)
    assert {evaluate().json()["variant"] for _ in range(5)} == {variant}


def test_numbers_keep_their_kind(create, evaluate):
    create(variants=[{"variant_id": "control", "value": 10.0}])
    assert '"value": 10.0,' in evaluate().text


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_a_halted_experiment_is_a_disabled_flag_with_the_control(create, evaluate, client, state):
    create()
    client.patch("/experiments/e", json={"state": state})
    found = evaluate().json()
    assert (found["reason"], found["variant"], found["value"]) == ("DISABLED", "control", 1.0)
    assert found["metadata"] == {"reason": state, "state": state}


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_a_known_unit_keeps_its_variant_through_a_halt_that_the_metadata_name(
    create, evaluate, client, state
):
    create()
    before = evaluate().json()
    client.patch("/experiments/e", json={"state": state})
    found = evaluate().json()
    assert found == before | {"metadata": before["metadata"] | {"state": state}}
    assert found["reason"] == "SPLIT"
    client.patch("/experiments/e", json={"state": "running"})
    assert evaluate().json() == before


def test_a_forced_unit_is_a_targeting_match(create, evaluate, client):
    create()
    override = {"experiment_id": "e", "unit_id": "u", "variant_id": "bold"}
    client.post("/assignments/overrides", json=override)
    found = evaluate().json()
    assert (found["reason"], found["variant"], found["metadata"]) == (
        "TARGETING_MATCH",
        "bold",
        {"reason": "forced"},
    )


def test_where_there_is_no_choice_the_flag_is_static(create, evaluate, client):
    create("held", holdout_percent=100)
    create("rolled")
    client.post("/experiments/rolled/rollout", json={"variant_id": "bold"})
    create("left")
    for number in range(20):
        evaluate("left", f"u{number}")
    client.patch("/experiments/left/variants/bold", json={"retired_on": "2026-03-10"})
    assert evaluate("held").json()["reason"] == "STATIC"
    assert (evaluate("rolled").json()["reason"], evaluate("rolled").json()["variant"]) == ("STATIC", "bold")
    left = [evaluate("left", f"u{number}").json() for number in range(20)]
    assert {found["reason"] for found in left if found["metadata"]["reason"] == "retired"} == {"STATIC"}
    assert {found["variant"] for found in left} == {"control"}


def test_all_tracked_experiments_but_archived_ones_are_flags_in_the_order_of_their_ids(
    create, evaluate, client
):
    for name in ("c", "a", "d", "b", "B"):
        create(name)
    client.patch("/experiments/d", json={"state": "archived"})
    client.patch("/experiments/c", json={"state": "paused"})
    flags = evaluate(None).json()["flags"]
    assert [flag["key"] for flag in flags] == ["B", "a", "b", "c"]
    assert [flag["reason"] for flag in flags] == ["SPLIT", "SPLIT", "SPLIT", "DISABLED"]
    assert flags[1] == evaluate("a").json()
    client.patch("/experiments/d", json={"state": "running"})
    create("e")
    assert [flag["key"] for flag in evaluate(None).json()["flags"]] == ["B", "a", "b", "c", "d", "e"]


def test_an_experiment_without_variants_fails_alone(create, evaluate):
    create("a", variants=[])
    create("b")
    broken, fine = evaluate(None).json()["flags"]
    assert (broken["key"], broken["errorCode"]) == ("a", "GENERAL")
    assert fine["reason"] == "SPLIT"
    assert evaluate("a", status=400).json()["errorCode"] == "GENERAL"


def test_no_experiments_are_no_flags(evaluate):
    assert evaluate(None).json() == {"flags": []}


def test_a_bulk_answer_is_bounded(create, make_client):
    for name in ("a", "b", "c"):
        create(name)
    body = {"context": {"targetingKey": "u"}}
    flags = make_client(ofrep_flags=2).post(FLAGS, json=body).json()["flags"]
    assert [flag["key"] for flag in flags] == ["a", "b"]


# ---- entity tags


@pytest.mark.parametrize("key", ["e", None])
def test_an_unchanged_evaluation_is_304_to_who_has_it(create, evaluate, key):
    create()
    tag = evaluate(key).headers["ETag"]
    same = evaluate(key, status=304, headers={"If-None-Match": tag})
    assert (same.content, same.headers["ETag"]) == (b"", tag)
    evaluate(key, status=304, headers={"If-None-Match": f'"other", W/{tag}'})
    evaluate(key, status=200, headers={"If-None-Match": '"other"'})


@pytest.mark.parametrize("key", ["e", None])
def test_the_tag_covers_the_whole_context_and_the_result(create, evaluate, client, key):
    create(variants=[TWO[0]])
    tags = [evaluate(key).headers["ETag"], evaluate(key, "v").headers["ETag"]]
    tags.append(evaluate(key, country="AT").headers["ETag"])
    client.patch("/experiments/e/variants/control", json={"value": 2})
    tags.append(evaluate(key).headers["ETag"])
    client.patch("/experiments/e", json={"state": "paused"})
    tags.append(evaluate(key, "w").headers["ETag"])
    tags.append(evaluate(key).headers["ETag"])  # the same variant, of a paused experiment
    assert len(set(tags)) == 6
    client.patch("/experiments/e", json={"state": "running"})
    assert evaluate(key).headers["ETag"] == tags[3]


# ---- errors


BAD = [
    pytest.param(b"", "PARSE_ERROR", id="nothing"),
    pytest.param(b"{", "PARSE_ERROR", id="half an object"),
    pytest.param(b"[]", "PARSE_ERROR", id="an array"),
    pytest.param(b"\xff", "PARSE_ERROR", id="no UTF-8"),
    pytest.param(b'{"context": {"targetingKey": "u", "x": NaN}}', "PARSE_ERROR", id="NaN"),
    pytest.param(b'{"context": {"targetingKey": "\\ud800"}}', "PARSE_ERROR", id="half a character"),
    pytest.param(b'{"context":' + b"[" * 50_000, "PARSE_ERROR", id="deep"),
    pytest.param(b'{"context": 3}', "INVALID_CONTEXT", id="a number for a context"),
    pytest.param(b'{"context": null}', "INVALID_CONTEXT", id="no context"),
    pytest.param(b"{}", "TARGETING_KEY_MISSING", id="an empty object"),
    pytest.param(b'{"context": {}}', "TARGETING_KEY_MISSING", id="an empty context"),
    pytest.param(b'{"context": {"targetingKey": ""}}', "TARGETING_KEY_MISSING", id="an empty key"),
    pytest.param(b'{"context": {"targetingKey": null}}', "TARGETING_KEY_MISSING", id="a null"),
    pytest.param(b'{"context": {"targetingKey": 3}}', "INVALID_CONTEXT", id="a number"),
    pytest.param(b'{"context": {"targetingKey": "a\\u0000"}}', "INVALID_CONTEXT", id="a control character"),
    pytest.param(b'{"context": {"targetingKey": "' + b"x" * 257 + b'"}}', "INVALID_CONTEXT", id="long"),
    pytest.param(
        json.dumps({"context": {"targetingKey": "u", "x": "y" * 70_000}}).encode(),
        "INVALID_CONTEXT",
        id="large",
    ),
]


@pytest.mark.parametrize(("body", "code"), BAD)
@pytest.mark.parametrize("path", ["/e", ""])
def test_what_cannot_be_evaluated_is_400_with_the_protocols_code(create, client, body, code, path):
    create()
    answer = client.post(FLAGS + path, content=body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/json")
    said = answer.json()
    assert (said["errorCode"], said.get("key")) == (code, "e" if path else None)
    assert said["errorDetails"]
    assert client.get("/assignments/e/units").json()["items"] == []


@pytest.mark.parametrize("key", ["nowhere", "a/b", "%20", "%00", "x" * 200, "%F0%9F%90%BF"])
def test_a_flag_that_does_not_exist_is_404_with_its_key(create, evaluate, key):
    create()
    said = evaluate(key, status=404).json()
    assert said["errorCode"] == "FLAG_NOT_FOUND"
    assert said["errorDetails"]
    assert "key" in said


@pytest.mark.parametrize("path", ["/e", ""])
def test_a_defect_is_500_in_the_protocols_form(create, client, monkeypatch, path):
    async def broken(*_):
        raise RuntimeError("a defect")

    create()
    monkeypatch.setattr(client.app.state.assigner, "assign", broken)
    answer = client.post(FLAGS + path, json={"context": {"targetingKey": "u"}})
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/json")
    said = answer.json()
    assert (said["errorCode"], said.get("key")) == ("GENERAL", "e" if path else None)
    assert "request_id" in said["errorDetails"]
    assert "a defect" not in answer.text


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_an_invalid_context(make_client, declared):
    body = b'{"context": {"targetingKey": "u", "x": "' + b"x" * 3_000 + b'"}}'
    answer = make_client(max_body_bytes=2_000).post(FLAGS, content=body if declared else iter([body]))
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/json")
    assert answer.json()["errorCode"] == "INVALID_CONTEXT"


@pytest.mark.parametrize("path", ["/e", ""])
def test_another_method_is_405_in_the_protocols_form(client, path):
    answer = client.get(FLAGS + path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/json")
    assert (answer.json()["errorCode"], answer.headers["Allow"]) == ("GENERAL", "POST")


def test_parameters_of_providers_mean_nothing_here(create, client):
    create()
    query = "?flagConfigEtag=x&flagConfigLastModified=1&project=y"
    assert client.post(f"{FLAGS}{query}", json={"context": {"targetingKey": "u"}}).status_code == 200


# ---- which experiments are offered


def keys(evaluate):
    return [flag["key"] for flag in evaluate(None).json()["flags"]]


@pytest.mark.parametrize(
    ("settings", "offered"),
    [
        ({"source": None}, False),
        ({"source": "reported"}, False),
        ({"source": "tracked"}, True),
        ({"source": None, "flag": True}, True),
        ({"source": "reported", "flag": True}, True),
        ({"source": "tracked", "flag": False}, False),
    ],
)
def test_tracked_experiments_are_offered_unless_the_setting_says_otherwise(
    create, evaluate, client, settings, offered
):
    create(**settings)
    assert keys(evaluate) == (["e"] if offered else [])
    assert client.get("/experiments/e").json()["is_flag"] == offered
    evaluate(status=200 if offered else 404)


def test_an_experiment_that_is_not_offered_assigns_no_unit(create, evaluate, client):
    create(source="reported")
    evaluate(None)
    said = evaluate(status=404).json()
    assert said["errorCode"] == "FLAG_NOT_FOUND"
    assert said["errorDetails"] == (
        "experiment 'e' is not offered as a flag: PATCH /experiments/e with {\"flag\": true}"
    )
    assert client.get("/assignments/e/units").json()["items"] == []


def test_the_setting_is_shown_changed_and_reset(create, evaluate, client):
    create(source="reported")
    assert client.get("/experiments/e").json()["flag"] is None
    for flag, offered in ((True, ["e"]), (False, []), (None, [])):
        changed = client.patch("/experiments/e", json={"flag": flag}).json()
        assert (changed["flag"], changed["is_flag"]) == (flag, bool(offered))
        assert keys(evaluate) == offered


def test_the_first_event_of_an_experiment_makes_it_a_flag(create, evaluate, client):
    create(source=None)
    assert keys(evaluate) == []
    client.post("/assignments", json={"experiment_id": "e", "unit_id": "u"})
    event = {"experiment_id": "e", "unit_id": "u", "event_id": "1", "type": "exposure"}
    assert client.post("/events", json=event).json()["counted"] == 1
    assert keys(evaluate) == ["e"]
    assert evaluate().json()["reason"] == "SPLIT"


def test_a_flag_that_takes_the_place_of_another_is_seen(create, evaluate, client):
    """The sum of all versions alone would be the same before and after."""
    create("a")
    create("b", flag=False)
    assert keys(evaluate) == ["a"]
    client.patch("/experiments/a", json={"flag": False})
    client.patch("/experiments/b", json={"flag": True})
    assert keys(evaluate) == ["b"]


def test_a_deleted_flag_is_gone_though_another_took_its_place(create, evaluate, client):
    create("a")
    assert keys(evaluate) == ["a"]
    assert client.delete("/experiments/a?confirm=a").status_code == 200
    create("b")
    assert keys(evaluate) == ["b"]


def test_the_setting_changes_no_share_and_no_revision(create, client):
    create(source="reported")
    before = client.get("/allocations/e").content
    client.patch("/experiments/e", json={"flag": True})
    assert client.get("/allocations/e").content == before


@pytest.mark.parametrize("flag", ["true", 1, 0.0])
def test_the_setting_is_true_false_or_null(client, flag):
    assert client.post("/experiments", json={"experiment_id": "e", "flag": flag}).status_code == 422


# ---- other origins


PREFLIGHT = {
    "Origin": "https://shop.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,if-none-match,x-api-key",
}


def test_a_browser_on_a_listed_origin_may_evaluate_and_read_the_tag(make_client):
    client = make_client(cors_origins="https://shop.example, https://app.example")
    before = client.options(FLAGS, headers=PREFLIGHT)
    assert before.status_code == 200
    assert before.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "If-None-Match" in before.headers["Access-Control-Allow-Headers"]
    body = {"context": {"targetingKey": "u"}}
    answer = client.post(FLAGS, json=body, headers={"Origin": "https://app.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    refused = client.post(f"{FLAGS}/x", json=body, headers={"Origin": "https://app.example"})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (
        404,
        "https://app.example",
    )


def test_other_origins_and_other_paths_are_not_shared(make_client, client):
    shared = make_client(cors_origins="https://shop.example")
    assert shared.options(FLAGS, headers=PREFLIGHT | {"Origin": "https://evil.example"}).status_code == 400
    for other, path in ((shared, "/experiments"), (client, FLAGS)):
        assert "Access-Control-Allow-Origin" not in other.options(path, headers=PREFLIGHT).headers


@pytest.mark.parametrize("origins", ["shop.example", "https://shop.example/path", "https://*.example"])
def test_an_origin_that_no_browser_sends_is_rejected(make_client, origins):
    with pytest.raises(ValueError, match="cors_origins"):
        make_client(cors_origins=origins)


@pytest.mark.parametrize("value", [None, "a", 1, True, 0, False, 1.0, [1], {"a": True}], ids=repr)
def test_a_flags_json_is_that_of_its_own_value_and_of_no_equal_one(value):
    for other in (1, True, 0, False, value):  # 1 == True == 1.0
        result = AssignmentResult("e", "u", "control", other, "drawn", 0.5, "0123456789abcdef")
        found = json.loads(ofrep._flag(result))["value"]
        assert repr(found) == repr("control" if other is None else other)
