"""Squares too small for their values are refused, in an array and in an upload; what was rounded is not."""

import json

import pytest

from tests.support.experiments import create
from tests.support.totals import total

REFUSED = [(2, 30.01, 440.05), (2, -30.01, 440.05), (1, 9.99, 98.5), (10, 1000, 99_000), (1, 0.5, 0.0)]
ACCEPTED = [
    pytest.param(3, 29.97, 299.4003, id="three of one value"),
    pytest.param(1, 9.99, 99.8, id="99.8001 with one decimal"),
    pytest.param(1, 10, 100.0000001, id="one value"),
    pytest.param(3, 29.970000000000002, 299.40029999999996, id="floating-point sums"),
    pytest.param(0, 30.01, 440.05, id="without a success the values are of earlier units"),
    pytest.param(2, 30.01, None, id="no squares"),
    pytest.param(2, None, 440.05, id="no sum"),
    pytest.param(2, 0.3, 0.0, id="squares below their last place"),
]


def day(figures):
    successes, revenue, revenue_sq = figures
    return total(successes=successes, revenue=revenue, revenue_sq=revenue_sq)


def upload(client, figures):
    answer = client.post(
        "/metrics/bulk", content=json.dumps(day(figures)), headers={"Content-Type": "application/x-ndjson"}
    )
    return answer.status_code, [
        (error["field"], error["message"]) for error in answer.json().get("errors", [])
    ]


@pytest.mark.parametrize("figures", REFUSED, ids=str)
def test_squares_that_no_values_have_are_rejected(client, figures):
    answer = client.post("/metrics/", json=day(figures))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["body.revenue_sq"]
    status, errors = upload(client, figures)
    assert (status, errors) == (422, [("revenue_sq", "too small for so many values with that sum")])


@pytest.mark.parametrize(("successes", "revenue", "revenue_sq"), ACCEPTED)
def test_squares_that_some_values_have_are_taken(client, successes, revenue, revenue_sq):
    figures = successes, revenue, revenue_sq
    assert client.post("/metrics/", json=day(figures)).status_code == 200
    assert upload(client, figures) == (200, [])


def test_late_conversions_bring_the_values_of_earlier_units(client):
    create(client, "control", late_conversions=True)
    assert client.post("/metrics/", json=day(REFUSED[0])).status_code == 200
    assert upload(client, REFUSED[0]) == (200, [])
