"""An experiment is created once, however often a program that needs it runs."""

import threading

import httpx2
import pytest

from client_testing.answers import Written
from groundhog_client import Client, Invalid, NotFound


def test_it_is_created_with_its_settings_and_then_returned_as_it_is(client_of, service_url):
    client = client_of(service_url)
    created = client.ensure_experiment("button", ["blue", "green"], min_share=5)
    assert created.etag == client.read_experiment("button").etag is not None
    again = client.ensure_experiment("button", ["red"], min_share=9)
    assert again == created
    assert (again.settings["min_share"], [one.variant_id for one in again.variants]) == (
        5.0,
        ["blue", "green"],
    )


def test_many_may_ensure_it_at_once(service_url):
    found, here = [], threading.Barrier(8)

    def ensure():
        with Client(service_url) as client:
            here.wait(60)
            found.append(client.ensure_experiment("button", ["blue", "green"]))

    threads = [threading.Thread(target=ensure) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 8


def test_settings_that_the_service_rejects_are_an_error(client_of, service_url):
    with pytest.raises(Invalid):
        client_of(service_url).ensure_experiment("button", ["blue"], min_share=150)


def test_a_delay_that_the_service_rejects_is_an_error_that_names_its_field(client_of, service_url):
    with pytest.raises(Invalid) as caught:
        client_of(service_url).ensure_experiment("button", delay={"max_days": 14}, late_conversions=True)
    assert [error.field for error in caught.value.errors] == ["body.delay.max_days"]


def test_what_was_created_and_deleted_meanwhile_is_an_error(connect):
    gone = httpx2.Response(404, json={"detail": "there is none"})
    there = httpx2.Response(409, json={"detail": "there is one"})
    with pytest.raises(NotFound, match="there is none"):
        connect(Written(gone, there, gone)).ensure_experiment("button")
