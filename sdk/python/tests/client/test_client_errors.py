"""Every rejection is an error of its own, with the invalid fields and the request id that finds it in the log."""

import re

import httpx2
import pytest

import groundhog_client
from client_testing.answers import Written
from groundhog_client import FieldError, GroundhogError, Problem, UnreadableAnswer, _errors
from groundhog_client._errors import OF_STATUS


def problem(status, **fields):
    body = {"type": "about:blank", "title": "Title", "status": status, "detail": "a sentence", **fields}
    return httpx2.Response(status, json=body, headers={"Content-Type": "application/problem+json"})


@pytest.mark.parametrize("status", [*OF_STATUS, 400, 418, 500])
def test_every_status_has_its_error(connect, status):
    client = connect(lambda request: problem(status, request_id="0b8f"))
    with pytest.raises(OF_STATUS.get(status, Problem)) as error:
        client.change_experiment("e", name="x")
    assert (error.value.status, error.value.detail, error.value.request_id) == (status, "a sentence", "0b8f")


def test_the_invalid_fields_are_reported_and_stand_in_the_text(connect):
    errors = [{"field": "body.1.successes", "message": "Input should be a valid integer"}]
    with pytest.raises(groundhog_client.Invalid) as error:
        connect(Written(problem(422, errors=errors))).read_experiment("e")
    assert error.value.errors == (FieldError("body.1.successes", "Input should be a valid integer"),)
    assert "body.1.successes: Input should be a valid integer" in str(error.value)


def test_a_gateways_page_is_an_error_too(connect):
    page = httpx2.Response(500, text="<html>oops", headers={"X-Request-ID": "7"})
    with pytest.raises(groundhog_client.Defect, match="500") as error:
        connect(Written(page)).read_experiment("e")
    assert error.value.request_id == "7"


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>welcome to our hotel"),
        httpx2.Response(200, json=["no", "object"]),
        httpx2.Response(200, json={"status": 1}),
        httpx2.Response(200, json={}),
        httpx2.Response(302, headers={"Location": "https://elsewhere"}),
        httpx2.Response(304),
    ],
)
def test_what_groundhog_never_answers_is_an_error_of_its_own(connect, answer):
    with pytest.raises(UnreadableAnswer):
        connect(Written(answer)).check_alive()


def test_fields_and_words_of_a_later_service_do_no_harm(connect):
    later = {"status": "ready", "database": "reachable", "migration": "x", "mood": {"new": 1}}
    assert connect(Written(httpx2.Response(200, json=later))).check_ready().status == "ready"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://", "http://a/?b=c"])
def test_an_address_that_is_none_is_rejected_at_once(url):
    with pytest.raises(ValueError, match="http://localhost:8000"):
        groundhog_client.Client(url)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_that_would_name_another_resource_is_not_sent(connect, name):
    with pytest.raises(ValueError, match="is not an id"):
        connect(Written()).read_experiment(name)


def test_a_slash_in_an_id_stays_in_its_place(connect):
    written = Written(problem(404))
    with pytest.raises(groundhog_client.NotFound):
        connect(written).read_experiment("a/../b?c#d")
    assert written.requests[0].url.raw_path == b"/experiments/a%2F..%2Fb%3Fc%23d"


def test_what_json_cannot_say_is_not_sent(connect):
    client = connect(Written())
    with pytest.raises(ValueError):
        client.change_experiment("e", min_share=float("nan"))
    with pytest.raises(TypeError, match="object cannot be sent as JSON"):
        client.change_experiment("e", policy={"kind": object()})


def test_the_tree_in_the_docstring_is_the_tree_of_the_public_errors():
    lines = (_errors.__doc__ or "").splitlines()
    drawn = {match[1] for line in lines if (match := re.match(r"[│├└─ ]*([A-Z]\w+)( {2,}|$)", line))}
    found = {name: getattr(groundhog_client, name) for name in groundhog_client.__all__}
    errors = {
        name for name, one in found.items() if isinstance(one, type) and issubclass(one, GroundhogError)
    }
    assert drawn == errors


def test_the_api_key_is_sent_with_every_request(connect):
    written = Written(httpx2.Response(200, json={"status": "alive"}))
    connect(written, api_key="gh_secret").check_alive()
    assert written.header("Authorization") == ["Bearer gh_secret"]
    assert written.requests[0].headers["User-Agent"].startswith("groundhog-client/")
