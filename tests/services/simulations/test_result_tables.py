"""A finished simulation as CSV."""

import csv
import io

import pytest

from tests.support.fixtures.simulations import LARGE, TELCO


def rows(answer):
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_summary_has_a_line_per_policy_with_its_interval(client, simulate):
    run = simulate()
    even, thompson, _ = rows(client.get(f"{run.headers['Location']}/export"))
    assert (even["policy"], thompson["policy"]) == ("even_split", "thompson")
    told = run.json()["policies"][0]["conversions"]
    assert [float(thompson[f"conversions{end}"]) for end in ("", "_low", "_high")] == [
        told["mean"],
        *told["interval_95"],
    ]


def test_the_curve_has_a_line_per_policy_and_day(client, simulate):
    location = simulate("clv", TELCO).headers["Location"]
    told = rows(client.get(f"{location}/export", params={"table": "curve"}))
    assert [row["day"] for row in told] == [str(day) for day in range(1, 21)] * 5


def test_the_log_has_every_contact_of_one_policy_with_its_propensity(client, simulate):
    run = simulate("clv", TELCO)
    told = rows(client.get(f"{run.headers['Location']}/export", params={"table": "log", "policy": 1}))
    assert list(told[0]) == ["contact", "day", "segment", "arm", "propensity", "delay", "reward"]
    assert len(told) == 400
    assert all(0 < float(row["propensity"]) <= 1 for row in told)


@pytest.mark.parametrize("choice", [{"policy": 7}, {"policy": 5}])
def test_there_is_no_log_of_a_policy_that_did_not_play(client, simulate, choice):
    location = simulate("clv", TELCO).headers["Location"]
    assert client.get(f"{location}/export", params={"table": "log", **choice}).status_code == 404


def test_an_email_run_has_no_log(client, simulate):
    location = simulate().headers["Location"]
    assert client.get(f"{location}/export", params={"table": "log"}).status_code == 404


def test_what_is_not_done_cannot_be_exported(client, simulate):
    location = simulate(request=LARGE).headers["Location"]
    answer = client.get(f"{location}/export")
    assert answer.status_code == 409
    client.delete(location)
