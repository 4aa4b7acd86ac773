"""The setting ``delay``: what it accepts, and a given curve in an answer."""

import json

import pytest

from tests.support.fixtures.transfer import lines, take
from tests.support.totals import total

CURVE = {"kind": "curve", "fractions": [0.5, 1.0]}


def create(client, **settings):
    return client.post("/experiments", json={"experiment_id": "homepage", **settings})


@pytest.fixture
def half_come(client):
    """A variant reported yesterday, of whose 20 conversions 10 have come."""
    assert create(client, delay=CURVE).status_code == 201
    client.post("/metrics/", json=total(date="2026-03-09", impressions=100, successes=10))
    return client.get("/allocations/homepage").json()


@pytest.mark.parametrize(
    ("delay", "field"),
    [
        pytest.param({"kind": "curve", "fractions": [0.8, 0.4, 1]}, "fractions", id="fall"),
        pytest.param({"kind": "curve", "fractions": [0.5, 0.9]}, "fractions", id="do not end in 1"),
        pytest.param({"kind": "curve", "fractions": [0.5, 1.1]}, "fractions.1", id="exceed 1"),
        pytest.param({"kind": "curve", "fractions": []}, "fractions", id="empty"),
        pytest.param({"kind": "curve"}, "fractions", id="absent"),
        pytest.param({"kind": "none", "max_days": 10}, "max_days", id="max_days without auto"),
        pytest.param("soon", "kind", id="no kind"),
    ],
)
def test_a_delay_that_cannot_be_is_rejected_at_its_field(client, delay, field):
    answer = create(client, delay=delay)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == f"body.delay.{field}"


MAX_DAYS = {"kind": "auto", "max_days": 14}
BOTH_WAYS = [
    pytest.param(CURVE, "body.delay", id="a curve"),
    pytest.param(MAX_DAYS, "body.delay.max_days", id="max_days"),
    pytest.param({"max_days": 14}, "body.delay.max_days", id="max_days alone"),
]


def rejected(answer):
    """Return the field of an answer that gives the reason."""
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert "there is no delay to count on" in error["message"]
    return error["field"]


@pytest.mark.parametrize(("delay", "field"), BOTH_WAYS)
def test_a_delay_does_not_go_with_late_conversions(client, delay, field):
    assert rejected(create(client, delay=delay, late_conversions=True)) == field
    assert client.get("/experiments/homepage").status_code == 404


@pytest.mark.parametrize(("delay", "field"), BOTH_WAYS)
@pytest.mark.parametrize("delay_first", [True, False], ids=["delay first", "late_conversions first"])
def test_neither_is_added_to_the_other(client, delay, field, delay_first):
    first, second = {"delay": delay}, {"late_conversions": True}
    if not delay_first:
        first, second = second, first
    before = create(client, **first)
    assert before.status_code == 201
    assert rejected(client.patch("/experiments/homepage", json=second)) == field
    assert client.get("/experiments/homepage").json()["late_conversions"] == before.json()["late_conversions"]
    assert client.get("/experiments/homepage").json()["delay"] == before.json()["delay"]


@pytest.mark.parametrize("delay", ["auto", "none", None, {"max_days": None}])
def test_max_days_can_be_given_up_for_late_conversions(client, delay):
    create(client, delay=MAX_DAYS)
    answer = client.patch("/experiments/homepage", json={"delay": delay, "late_conversions": True})
    assert (answer.status_code, answer.json()["delay"]["max_days"]) == (200, None)


@pytest.mark.parametrize("delay", [CURVE, MAX_DAYS])
def test_a_file_with_both_is_not_imported(client, delay, elsewhere):
    create(client, delay=delay)
    rows = [json.loads(line) for line in lines(client.get("/experiments/homepage/export"))]
    number, row = next((n, r) for n, r in enumerate(rows, 1) if r.get("part") == "experiment_settings")
    row["row"]["settings"]["late_conversions"] = True
    answer = take(elsewhere, "\n".join(map(json.dumps, rows)))
    assert rejected(answer).startswith("delay")
    assert answer.json()["errors"][0]["line"] == number
    assert elsewhere.get("/experiments/homepage").status_code == 404


@pytest.mark.parametrize("field", ["late_conversions", "max_days"])
def test_a_plan_has_neither_and_says_so(client, field):
    answer = client.post("/plans", json={"rates": [0.1, 0.2], "traffic": 100, "delay": 3, field: 14})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{field}")


def test_a_plans_delay_is_a_distribution_without_max_days(client):
    delay = {"kind": "fixed", "days": 3, "max_days": 14}
    answer = client.post("/plans", json={"rates": [0.1, 0.2], "traffic": 100, "delay": delay})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.delay.max_days")


def test_the_kind_alone_is_accepted(client):
    assert create(client, delay="none").status_code == 201
    assert client.get("/experiments/homepage").json()["delay"]["kind"] == "none"


def test_impressions_count_as_far_as_their_conversions_have_come(half_come):
    """m = 50, r = 0.2, q = (1 - r) / (1 - r / 2) = 8/9: 400/9 impressions and 80/9 successes."""
    (control,) = half_come["variants"]
    assert control["impressions"] == pytest.approx(400 / 9, rel=1e-9)
    assert control["successes"] == pytest.approx(80 / 9, rel=1e-9)
    assert control["matured"] == 0.5


def test_the_answer_names_the_curve_and_explains_it(half_come):
    assert half_come["delay"] == {"kind": "curve", "curve": [0.5, 1.0], "matured": 0.5}
    assert "50 % of the conversions have come" in " ".join(half_come["explain"])
    assert "Used 100 impressions and 10 successes" in half_come["explain"][0]


def test_days_whose_conversions_have_all_come_have_no_delay(client, clock, half_come):
    clock.pass_days(2)
    client.post("/metrics/", json=total(date="2026-03-09", impressions=100, successes=20))
    answer = client.get("/allocations/homepage").json()
    assert "delay" not in answer
    assert "matured" not in answer["variants"][0]
    assert answer["variants"][0]["impressions"] == 100


def test_burn_in_is_judged_by_what_was_booked(client):
    create(client, delay=CURVE, burn_in={"impressions": 100})
    sent = [total(name, "2026-03-09", 100, 10) for name in ("control", "bold")]
    client.post("/metrics/", json=sent)
    assert client.get("/allocations/homepage").json()["gates"] == []


def test_the_page_of_totals_has_the_booked_and_the_effective_ones(client, half_come):
    (used,) = client.get("/metrics/homepage").json()["totals"]["variants"]
    assert used["raw"]["impressions"] == 100
    assert used["effective"]["impressions"] == pytest.approx(400 / 9)
