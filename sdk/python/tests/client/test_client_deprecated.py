"""What was renamed after version 0.1.0 still works under its old name, and says what it is called now."""

import asyncio

import httpx2
import pytest

import groundhog_client
from client_testing.answers import Written
from groundhog_client import AsyncClient, Client

ALIVE = {"status": "alive"}


@pytest.mark.parametrize(
    ("old", "new"), [("Patience", "RetryPolicy"), ("Refusal", "Rejection"), ("Figure", "IntervalEstimate")]
)
def test_an_old_name_is_the_new_class_and_warns(old, new):
    with pytest.warns(DeprecationWarning, match=f"groundhog_client.{old} is now {new}"):
        assert getattr(groundhog_client, old) is getattr(groundhog_client, new)


def test_an_old_name_can_be_imported():
    with pytest.warns(DeprecationWarning, match="RetryPolicy"):
        from groundhog_client import Patience
    assert Patience().attempts == 5


def test_a_name_that_never_was_is_none():
    with pytest.raises(AttributeError, match="Impatience"):
        _ = groundhog_client.Impatience


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_old_arguments_of_a_client_are_taken_as_the_new_ones_and_warn(kind):
    policy = groundhog_client.RetryPolicy(attempts=2)
    with pytest.warns(DeprecationWarning, match="the argument") as warned:
        client = kind("http://groundhog", patience=policy, kept_answers=3)
    assert {str(one.message).partition(";")[0] for one in warned} == {
        "the argument patience is now retries",
        "the argument kept_answers is now cache_size",
    }
    assert client._transport.calls.retries is policy
    assert {one.filename for one in warned} == {__file__}


def test_an_argument_under_both_of_its_names_is_rejected():
    with pytest.raises(TypeError, match="patience is the old name of retries"):
        Client("http://groundhog", patience=None, retries=None)


def test_an_argument_that_never_was_is_rejected():
    with pytest.raises(TypeError, match="impatience"):
        Client("http://groundhog", impatience=None)


def test_old_names_of_a_sender_work_and_warn(connect):
    client = connect(Written(httpx2.Response(200, json=ALIVE)))
    with pytest.warns(DeprecationWarning, match="the argument on_refused is now on_rejected"):
        sender = client.event_sender(on_refused=print)
    with pytest.warns(DeprecationWarning, match="trouble is now .*last_error"):
        assert sender.trouble is None
    with pytest.warns(DeprecationWarning, match="shown is now .*record_exposure"):
        sender.shown(groundhog_client.Decision("e", "u", "v", None, assignment=None, fallback=None))


def test_an_old_name_of_an_operation_works_and_warns(connect):
    client = connect(Written(httpx2.Response(200, text="groundhog_up 1")))
    with pytest.warns(DeprecationWarning, match="read_telemetry is now read_prometheus_metrics"):
        assert client.read_telemetry() == "groundhog_up 1"


def test_an_old_argument_of_a_call_works_and_warns():
    from groundhog_client._operations.service import check_alive

    async def check(client):
        async with client:
            return await client.call(check_alive(), patience=groundhog_client.RetryPolicy())

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=ALIVE)))
    with pytest.warns(DeprecationWarning, match="the argument patience is now retries"):
        assert asyncio.run(check(AsyncClient("http://groundhog", http=http))).status == "alive"
