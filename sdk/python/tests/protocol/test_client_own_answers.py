"""An answer is given to the question it belongs to, or to none."""

import httpx2
import pytest

from client_testing.answers import Written
from groundhog_client import ConnectionLost, Event, UnreadableAnswer

ALIVE = {"status": "alive"}
ASSIGNED = {"experiment_id": "button", "unit_id": "user-42", "variant_id": "bold", "value": None}
ASSIGNED |= {"reason": "drawn", "propensity": 0.6, "revision": "5f0c5f8b6a2f9d3e", "new": True}
ASSIGNED |= {"assigned_at": "2026-03-10T12:00:00Z"}
OTHERS_ID = "groundhog-client-" + "0" * 32


def alive(**headers):
    return httpx2.Response(200, json=ALIVE, headers=headers)


def test_the_answer_to_another_clients_request_is_asked_for_again(connect):
    written = Written(alive(**{"X-Request-ID": OTHERS_ID}), alive())
    assert connect(written).check_alive().status == "alive"
    first, second = written.header("X-Request-ID")
    assert first != second


def test_the_answer_to_another_clients_request_is_an_error_where_it_is_not_safe_to_ask_again(connect):
    written = Written(alive(**{"X-Request-ID": OTHERS_ID}))
    with pytest.raises(ConnectionLost, match="the answer to another request"):
        connect(written).change_experiment("button", name="x")
    assert len(written.requests) == 1


def test_a_gateway_may_give_requests_ids_of_its_own(connect):
    assert connect(Written(alive(**{"X-Request-ID": "5f0c-gateway"}))).check_alive().status == "alive"


def test_the_service_repeats_the_id_of_a_request(connect):
    def answer(request):
        return alive(**{"X-Request-ID": request.headers["X-Request-ID"]})

    assert connect(answer).check_alive().status == "alive"


def answered(**fields):
    return Written(httpx2.Response(200, json=ASSIGNED | fields))


@pytest.mark.parametrize("other", [{"unit_id": "user-43"}, {"experiment_id": "banner"}])
def test_another_units_assignment_is_an_error(connect, other):
    with pytest.raises(UnreadableAnswer, match="the answer is about"):
        connect(answered(**other)).assign("button", "user-42")


def test_another_units_assignment_is_never_shown(connect):
    decision = connect(answered(unit_id="user-43")).decide("button", "user-42", default="plain")
    assert (decision.variant_id, decision.is_fallback) == ("plain", True)


UNITS = [("button", "user-42"), ("button", "user-43")]


@pytest.mark.parametrize("units", [["user-43", "user-42"], ["user-42"], ["user-42", "user-43", "user-44"]])
def test_many_assignments_in_another_order_or_number_are_an_error(connect, units):
    items = [ASSIGNED | {"unit_id": unit} for unit in units]
    with pytest.raises(UnreadableAnswer):
        connect(Written(httpx2.Response(200, json=items))).assign_many(UNITS)


def result(event_id):
    return {"event_id": event_id, "status": "counted", "reason": None, "detail": None, "counted_on": None}


@pytest.mark.parametrize("ids", [["2", "1"], ["1"], ["1", "3"]])
def test_the_results_of_other_events_are_an_error(connect, ids):
    counts = {"received": len(ids), "counted": len(ids), "known": 0, "duplicate": 0, "refused": 0}
    taken = httpx2.Response(200, json=counts | {"items": [result(one) for one in ids]})
    events = [Event("button", "user-42", "conversion", event_id=one) for one in "12"]
    with pytest.raises(UnreadableAnswer):
        connect(Written(taken)).record_events(events)


OPERATIONS = {
    "read_experiment": ("button",),
    "read_allocation": ("button",),
    "read_allocation_history": ("button",),
    "read_metrics": ("button",),
    "read_gain": ("button",),
    "read_estimates": ("button",),
    "compare_with_control": ("button",),
    "read_posterior": ("button",),
    "read_split": ("button",),
    "create_experiment": ("button",),
    "change_experiment": ("button",),
    "roll_out_variant": ("button", "bold"),
    "undo_rollout": ("button",),
    "list_assignments": ("button",),
    "read_assignment": ("button", "user-42"),
    "override_assignment": ("button", "user-42", "bold"),
    "merge_units": ("user-42", "user-7"),
    "change_variant": ("button", "bold"),
    "evaluate_flag": ("button", "user-42"),
    "read_simulation": ("s1",),
    "cancel_simulation": ("s1",),
}
SOMETHING_ELSE = {"experiment_id": "x", "unit_id": "x", "variant_id": "x", "key": "x", "id": "x"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_answer_about_something_else_is_an_error(connect, name):
    client = connect(Written(httpx2.Response(200, json=SOMETHING_ELSE)))
    with pytest.raises(UnreadableAnswer, match="the answer is about"):
        getattr(client, name)(*OPERATIONS[name])


def test_an_allocation_of_another_date_is_an_error(connect):
    found = httpx2.Response(200, json={"experiment_id": "button", "date": "2026-03-10"})
    with pytest.raises(UnreadableAnswer, match="date '2026-03-10', and '2026-03-09' was asked"):
        connect(Written(found)).read_allocation("button", for_date="2026-03-09")
