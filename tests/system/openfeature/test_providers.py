"""OpenFeature's official providers, against a live server: what an application sees of an experiment."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from app.storage import migrate
from tests.support.databases import fresh_database
from tests.support.service_process import post, running_service

WEB = Path(__file__).parent / "web"
OBJECT = {"colour": "red", "sizes": {"s": 1.5}}
VALUES = {"switch": True, "count": 3, "price": 10.0, "text": "Sleep better", "theme": OBJECT, "plain": None}


@pytest.fixture(scope="module")
def address(server_url):
    """A live server whose experiments have one variant each, of every type of value, and a forced unit."""
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        with running_service(url) as service:
            address = service.address
            for name, value in VALUES.items():
                variants = [{"variant_id": "control", "value": value}]
                post(
                    f"{address}/experiments",
                    {"experiment_id": name, "source": "tracked", "variants": variants},
                )
            two = [{"variant_id": "control"}, {"variant_id": "bold"}]
            post(f"{address}/experiments", {"experiment_id": "split", "source": "tracked", "variants": two})
            forced = {"experiment_id": "split", "unit_id": "tester", "variant_id": "bold"}
            post(f"{address}/assignments/overrides", forced)
            yield address


@pytest.fixture
def client(address):
    """A client of the Python SDK for one user."""
    provider = OFREPProvider(address)
    api.set_provider_and_wait(provider)
    yield api.get_client()
    api.clear_providers()
    provider.session.close()


USER = EvaluationContext("user-42", {"country": "AT"})


@pytest.mark.parametrize(
    ("method", "flag", "default"),
    [
        ("get_boolean_details", "switch", False),
        ("get_integer_details", "count", 0),
        ("get_float_details", "price", 0.0),
        ("get_string_details", "text", ""),
        ("get_object_details", "theme", {}),
    ],
)
def test_the_python_provider_gets_every_type_of_value(client, method, flag, default):
    found = getattr(client, method)(flag, default, USER)
    assert (found.value, type(found.value)) == (VALUES[flag], type(VALUES[flag]))
    assert (found.variant, found.reason, found.error_code) == ("control", Reason.STATIC, None)


def test_the_python_provider_sees_a_split_with_its_propensity_and_revision(client):
    found = client.get_string_details("split", "default", USER)
    assert found.value == found.variant
    assert found.variant in {"control", "bold"}
    assert found.reason == Reason.SPLIT
    assert found.flag_metadata["propensity"] == 0.5
    assert len(found.flag_metadata["revision"]) == 16
    assert client.get_string_value("split", "default", USER) == found.value


def test_the_python_provider_sees_a_forced_unit(client):
    found = client.get_string_details("split", "default", EvaluationContext("tester"))
    assert (found.value, found.reason) == ("bold", Reason.TARGETING_MATCH)


@pytest.mark.parametrize(
    ("flag", "asker", "code"),
    [
        ("nowhere", USER, ErrorCode.FLAG_NOT_FOUND),
        ("split", EvaluationContext(), ErrorCode.TARGETING_KEY_MISSING),
        ("split", EvaluationContext("a\x00b"), ErrorCode.INVALID_CONTEXT),
        ("switch", USER, ErrorCode.TYPE_MISMATCH),
    ],
)
def test_the_python_provider_understands_our_errors(client, flag, asker, code):
    found = client.get_string_details(flag, "default", asker)
    assert (found.value, found.reason, found.error_code) == ("default", Reason.ERROR, code)


@pytest.fixture(scope="module")
def web(address):
    """What the web provider sees, in node."""
    if not shutil.which("node") or not (WEB / "node_modules").is_dir():
        pytest.skip(
            "node or OpenFeature's web provider is not here: make test installs it where there is npm"
        )
    asked = ["switch:boolean", "count:number", "price:number", "text:string", "theme:object", "plain:string"]
    command = [
        "node",
        "evaluate.js",
        address,
        "user-42",
        *asked,
        "split:string",
        "nowhere:string",
        "text:number",
    ]
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_web_provider_gets_every_type_of_value(web):
    for flag, value in VALUES.items():
        if flag != "text":  # asked for as a number as well
            found = web["flags"][flag]
            assert found["value"] == ("control" if value is None else value)
            assert (found["variant"], found["reason"]) == ("control", "STATIC")


def test_the_web_provider_sees_a_split_with_its_propensity_and_revision(web):
    found = web["flags"]["split"]
    assert (found["value"], found["reason"]) == (found["variant"], "SPLIT")
    assert found["flagMetadata"]["propensity"] == 0.5
    assert len(found["flagMetadata"]["revision"]) == 16


def test_the_web_provider_knows_a_missing_flag_and_another_type(web):
    assert web["flags"]["nowhere"]["errorCode"] == "FLAG_NOT_FOUND"
    assert web["flags"]["text"]["errorCode"] == "TYPE_MISMATCH"


def test_the_web_provider_gets_304_when_nothing_has_changed(web):
    assert web["statuses"] == [200, 304]
