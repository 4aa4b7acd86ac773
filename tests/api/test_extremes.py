"""The largest and the strangest that is allowed gets an answer, and in time."""

import math
import time
from decimal import Decimal

import pytest

from tests.support.totals import small_total as total

LARGEST = 2**63 - 2**10


def allocate(client, *arms):
    """The allocation after one day of the given (impressions, successes)."""
    rows = [total(variant_id=f"v{i}", impressions=n, successes=s) for i, (n, s) in enumerate(arms)]
    assert client.post("/metrics/", json=rows).status_code == 200
    answer = client.get("/allocations/homepage?for_date=2026-03-10")
    assert answer.status_code == 200, answer.text
    return answer.json()


def summed(answer):
    return sum(Decimal(repr(percent)) for percent in answer["allocations"].values())


def test_the_largest_count_is_stored_and_comes_back_as_it_was_sent(client):
    client.post("/metrics/", json=total(impressions=LARGEST, successes=LARGEST))
    item = client.get("/metrics/homepage").json()["items"][0]
    assert (item["impressions"], item["successes"]) == (LARGEST, LARGEST)


@pytest.mark.parametrize(
    "arms",
    [
        [(LARGEST, LARGEST), (1, 1)],
        [(LARGEST, 0), (1, 1), (1, 0)],
        [(LARGEST, 0), (LARGEST, LARGEST)],
        [(10**15, 10**14), (10**15, 10**14 + 7)],
        [(10**9, 1), (10**9, 2)],
    ],
)
def test_very_large_counts_are_allocated_and_every_number_is_finite(client, arms):
    answer = allocate(client, *arms)
    assert summed(answer) == 100
    assert all(math.isfinite(variant["mean"] + variant["expected_loss"]) for variant in answer["variants"])


def test_the_largest_equal_counts_share_evenly(client):
    answer = allocate(client, (LARGEST, LARGEST // 2), (LARGEST, LARGEST // 2))
    assert list(answer["allocations"].values()) == [50, 50]


@pytest.mark.parametrize(("a", "b"), [(0.1, 0.1), (0.1, 1e12), (1e12, 0.1), (1e12, 1e12)])
def test_the_vaguest_and_the_surest_prior_are_answered_in_time(client, a, b):
    variants = [{"variant_id": f"v{i}"} for i in range(4)]
    client.post(
        "/experiments", json={"experiment_id": "homepage", "prior": {"a": a, "b": b}, "variants": variants}
    )
    began = time.process_time()  # grows with the work, not with what else the machine does
    assert summed(allocate(client, (0, 0), (10, 0), (10, 10), (10**9, 10**8))) == 100
    assert time.process_time() - began < 10


def test_a_thousand_variants_sum_to_exactly_100(client):
    assert summed(allocate(client, *((100, i % 17) for i in range(1_000)))) == 100


def test_a_post_of_the_most_rows_there_may_be_is_stored(client):
    days = [f"{2024 + n // 336}-{n // 28 % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(625)]
    rows = [total(variant_id=f"v{i}", date=date) for i in range(8) for date in days]
    assert client.post("/metrics/", json=rows).json()["inserted"] == len(rows) == 5_000


def test_names_of_the_longest_and_strangest_kind_that_fits_go_all_the_way(client):
    name = "0" + "._-" * 42 + "Z"
    assert len(name) == 128
    client.post("/metrics/", json=total(experiment_id=name, variant_id=name))
    assert client.get(f"/allocations/{name}?for_date=2026-03-10").json()["allocations"] == {name: 100}
    assert client.patch(f"/experiments/{name}/variants/{name}", json={"name": "🐿 'x'; --"}).status_code == 200


@pytest.mark.parametrize("name", ["bulk", "experiments", "history", "select", "null", "0", "nan"])
def test_an_experiment_may_be_called_what_routes_and_languages_are_called(client, name):
    client.post("/metrics/", json=total(experiment_id=name, variant_id=name))
    assert client.get(f"/metrics/{name}").json()["items"][0]["variant_id"] == name
    assert client.get(f"/allocations/{name}?for_date=2026-03-10").json()["allocations"] == {name: 100}
    assert client.get(f"/allocations/{name}/history").status_code == 200
