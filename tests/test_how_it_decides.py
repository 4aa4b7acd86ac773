"""The worked examples of docs/how-it-decides.md, computed again."""

import re
from pathlib import Path

import pytest

from app.bandits.policies import POLICIES
from app.schemas.settings import Settings
from tests.api.test_allocations import allocation, post
from tests.api.test_metrics import total
from tests.api.test_settings import create

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "how-it-decides.md").read_text()


def one_each(client, **successes):
    post(client, *[total(v, "2026-03-09", 1, s) for v, s in successes.items()])


def test_five_sixths(client):
    one_each(client, control=1, bold=0)
    assert allocation(client)["allocations"] == {"control": 83.3333, "bold": 16.6667}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"kind": "epsilon_greedy", "epsilon": 0.2}, {"a": 10.0, "b": 90.0}),
        ({"kind": "top_two_thompson", "beta": 0.5}, {"a": 50.0, "b": 50.0}),
    ],
)
def test_policies(client, policy, expected):
    create(client, "a", "b", policy=policy)
    one_each(client, a=0, b=1)
    assert allocation(client)["allocations"] == expected


def test_half_life(client):
    create(client, half_life_days=2)
    post(client, total("a", "2026-03-07", 100, 10), total("a", "2026-03-09", 100, 20))
    variant = allocation(client)["variants"][0]
    assert (variant["impressions"], variant["successes"]) == (150, 25)
    assert variant["mean"] == pytest.approx((1 + 25) / (2 + 150), abs=1e-15)


@pytest.mark.parametrize(("adjust", "means"), [("none", (0.11, 0.19)), ("day", (0.15, 0.15))])
def test_day_effects(client, adjust, means):
    """With the days divided out both have the mean of the two days, 15 %, as half the traffic came on each."""
    create(client, adjust=adjust)
    days = [
        ("2026-03-08", 0.1, {"control": 9000, "bold": 1000}),
        ("2026-03-09", 0.2, {"control": 1000, "bold": 9000}),
    ]
    post(client, *[total(v, date, n, round(rate * n)) for date, rate, sent in days for v, n in sent.items()])
    found = [variant["mean"] for variant in allocation(client)["variants"]]
    assert found == pytest.approx(means, rel=2e-3)


def test_fixed_share(client):
    create(client, "a", "b", "c", fixed_share={"a": 10})
    one_each(client, a=1, b=1, c=0)
    assert allocation(client)["allocations"] == {"a": 10.0, "b": 75.0, "c": 15.0}


def test_the_page_names_every_setting_and_every_policy():
    headings = " ".join(re.findall(r"^### (.*)$", PAGE, re.MULTILINE))
    assert [name for name in Settings.model_fields if name not in headings] == []
    assert [kind for kind in POLICIES if f"`{kind}`" not in PAGE] == []
