"""A variant is decided whatever happens, and the answer says whose decision it is."""

import time

import httpx2
import pytest

from client_testing.answers import Written
from groundhog_client import Invalid, NotFound, Unauthorized, Unreachable
from groundhog_client._decisions.circuit_breaker import CircuitBreaker
from groundhog_client._errors import Unavailable

ASSIGNED = {"experiment_id": "button", "unit_id": "user-42", "variant_id": "bold", "value": {"colour": "red"}}
ASSIGNED |= {"reason": "drawn", "propensity": 0.6, "revision": "5f0c5f8b6a2f9d3e", "new": True}
ASSIGNED |= {"assigned_at": "2026-03-10T12:00:00Z"}


def test_the_services_decision_is_given_with_its_assignment(connect):
    decision = connect(Written(httpx2.Response(201, json=ASSIGNED))).decide("button", "user-42")
    assert (decision.variant_id, decision.value, decision.is_fallback) == ("bold", {"colour": "red"}, False)
    assert decision.assignment.propensity == 0.6
    assert decision.fallback is None


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.Response(503, json={"detail": "away"}),
        httpx2.Response(500, json={"detail": "a defect"}),
        httpx2.Response(429, headers={"Retry-After": "9"}),
        httpx2.Response(200, text="<html>welcome to our hotel"),
    ],
)
def test_the_control_is_shown_while_the_service_is_away_and_the_decision_says_why(connect, failure):
    decision = connect(Written(*[failure] * 5)).decide("button", "user-42", default="plain")
    assert (decision.variant_id, decision.is_fallback, decision.assignment) == ("plain", True, None)
    assert str(decision.fallback)


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (422, Invalid), (401, Unauthorized)])
def test_a_mistake_of_the_callers_is_raised_and_not_hidden(connect, status, error):
    with pytest.raises(error):
        connect(Written(httpx2.Response(status, json={"detail": "no"}))).decide("buton", "user-42")


def test_a_silent_service_costs_no_more_than_the_time_given(connect):
    def silent(request):
        time.sleep(request.extensions["timeout"]["read"])
        raise httpx2.ReadTimeout("silence", request=request)

    began = time.monotonic()
    assert connect(silent).decide("button", "user-42", within=0.2).is_fallback
    assert time.monotonic() - began < 10


def test_after_a_failure_the_service_is_spared_for_a_while(connect):
    written = Written(*[httpx2.ConnectError("refused")] * 5)
    client = connect(written)
    assert [client.decide("button", f"user-{i}").is_fallback for i in range(100)] == [True] * 100
    assert len(written.requests) == 5


def test_one_caller_a_second_looks_whether_it_is_back():
    now = [0.0]
    breaker = CircuitBreaker(lambda: now[0])
    assert breaker.open_because() is None
    breaker.record_failure(Unavailable(503, "away", retry_after=3))
    now[0] = 2.9
    assert isinstance(breaker.open_because(), Unavailable)
    now[0] = 3.1
    assert breaker.open_because() is None
    assert isinstance(breaker.open_because(), Unavailable)
    breaker.record_failure(Unreachable("refused"))
    now[0] = 4.2
    assert breaker.open_because() is None
    breaker.record_success()
    assert breaker.open_because() is None


def test_many_are_assigned_at_once_and_each_error_is_its_own(connect):
    problem = {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no experiment 'x'",
    }
    items = [ASSIGNED, {"index": 1, "experiment_id": "x", "unit_id": "user-42", "error": problem}]
    written = Written(httpx2.Response(200, json=items))
    assigned, unassigned = connect(written).assign_many([("button", "user-42"), ("x", "user-42")])
    assert assigned.variant_id == "bold"
    assert isinstance(unassigned.error, NotFound)
    assert str(unassigned.error) == "404 Not Found: there is no experiment 'x'"
