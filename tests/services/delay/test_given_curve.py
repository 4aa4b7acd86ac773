"""The setting ``delay``: what it accepts, and a given curve in an answer."""

import pytest

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


def test_a_delay_does_not_go_with_late_conversions(client):
    answer = create(client, delay=CURVE, late_conversions=True)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.delay")


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
