"""An answer names in words what decided a share, and says nothing about a variant that nobody has seen."""

import pytest

from tests.support.experiments import allocation, create
from tests.support.totals import post, total


def explained(client, date=None):
    return allocation(client, date)["explain"]


def p_best_of(body, variant_id):
    return next(v["p_best"] for v in body["variants"] if v["variant_id"] == variant_id)


def test_a_share_raised_by_its_floor_is_named_with_both_percentages(client):
    create(client, "control", "bold", min_share=5)
    post(client, total("control", "2026-03-09", 1000, 112), total("bold", "2026-03-09", 1000, 150))
    body = allocation(client)
    weight, share = 100 * p_best_of(body, "control"), body["allocations"]["control"]
    assert share == pytest.approx(5 + 0.9 * weight, abs=1e-4)
    assert f"control: {weight:.3g} % raised to {share:.3g} % by min_share 5." in body["explain"]
    assert not any(sentence.startswith("bold: ") for sentence in body["explain"])


def test_a_hopeless_share_is_not_spelt_with_exponents(client):
    create(client, "a", "b", min_share={"a": 5})
    post(client, total("a", "2026-03-09", 2000, 100), total("b", "2026-03-09", 2000, 200))
    assert "a: less than 0.001 % raised to 5 % by min_share 5." in explained(client)


def test_a_fixed_share_is_named(client):
    create(client, "a", "b", "c", fixed_share={"b": 7.25})
    post(client, *[total(variant, "2026-03-09") for variant in "abc"])
    assert "b: 7.25 % by fixed_share." in explained(client)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "new: 50 % by an even split, until it is past burn-in."),
        ({"burn_in": {"share": 4}}, "new: 4 % by burn_in.share 4, until it is past burn-in."),
        (
            {"burn_in": {"share": 4}, "min_share": {"new": 6}},
            "new: 6 % by min_share 6, until it is past burn-in.",
        ),
    ],
    ids=["even", "share", "floor"],
)
def test_what_decides_a_share_in_burn_in_is_named(client, settings, sentence):
    create(client, "a", "new", **settings)
    post(client, total("a", "2026-03-09"))
    assert sentence in explained(client)


def test_with_a_half_life_plain_and_weighted_totals_are_named(client):
    """100 + 100 / 2 impressions, 20 + 10 / 2 successes, of each of two variants."""
    create(client, "a", "b", half_life_days=2)
    post(client, *[total(v, "2026-03-07", 100, 10) for v in "ab"])
    post(client, *[total(v, "2026-03-09", 100, 20) for v in "ab"])
    said = explained(client)
    assert said[0].startswith("Used 300 weighted impressions and 50 weighted successes up to 2026-03-09")
    assert said[1] == (
        "A day's weight halves every 2 days (half_life_days): 400 impressions count as 300, 60 successes as 50."
    )


def test_with_a_window_the_totals_inside_and_altogether_are_named(client):
    create(client, "a", "b", window_days=1)
    post(client, *[total(v, "2026-03-08", 100, 10) for v in "ab"])
    post(client, *[total(v, "2026-03-09", 300, 20) for v in "ab"])
    assert (
        "Only the last 1 days count (window_days): 600 of 800 impressions, 40 of 60 successes."
        in explained(client)
    )


def test_weighted_changes_are_called_so(client, clock):
    create(client, "a", "b", half_life_days=1)
    post(client, *[total(v, "2026-03-09", 100, 10) for v in "ab"])
    client.get("/allocations/homepage")
    clock.pass_days(1)
    post(client, *[total(v, "2026-03-10", 100, 10) for v in "ab"])
    assert any("(+50 weighted impressions, +5 weighted successes)" in said for said in explained(client))


def test_after_a_rollout_nothing_is_left_to_decide(client):
    create(client, "a", "b", min_share=5)
    post(client, total("a", "2026-03-09"), total("b", "2026-03-09", 1000, 150))
    client.post("/experiments/homepage/rollout", json={"variant_id": "b"})
    body = allocation(client)
    assert body["stop_advice"] is None
    assert body["explain"][-1] == "Advice: nothing is left to decide until the rollout is undone."
    assert not any(sentence.startswith(("a: ", "b: ")) for sentence in body["explain"])


def test_nothing_is_estimated_before_there_are_data(client):
    create(client, "a", "b")
    body = allocation(client)
    assert body["value_remaining"] is None
    assert [(v["p_best"], v["expected_loss"]) for v in body["variants"]] == [(None, None)] * 2


def test_an_untried_variant_has_no_chance_of_being_best_even_without_burn_in(client):
    """Its share is still what its prior gives it."""
    create(client, "a", "new", burn_in={"days": 0})
    post(client, total("a", "2026-03-09"))
    body = allocation(client)
    assert body["allocations"]["new"] > 80
    assert p_best_of(body, "new") is None


def test_an_untried_variant_is_not_compared_with_the_control(client):
    create(client, "control", "b", "new")
    post(client, total("control", "2026-03-09"), total("b", "2026-03-09", 1000, 150))
    b, new = client.get("/experiments/homepage/comparison").json()["variants"]
    assert b["p_better"] > 0.9
    assert new == {"variant_id": "new", "p_better": None, "difference": None, "relative": None}


def test_nothing_is_compared_with_an_untried_control(client):
    create(client, "control", "b")
    post(client, total("b", "2026-03-09"))
    (b,) = client.get("/experiments/homepage/comparison").json()["variants"]
    assert (b["p_better"], b["difference"], b["relative"]) == (None, None, None)


def test_an_untried_variant_has_no_part_in_the_gain(client):
    """Without it the split was even, and nothing was gained; its prior says that it converts half of the time."""
    create(client, "a", "b", "new")
    post(client, total("a", "2026-03-10"), total("b", "2026-03-10"))
    gain = client.get("/experiments/homepage/gain?for_date=2026-03-11").json()
    assert gain["conversions"] == {"mean": 0, "interval_95": [0, 0]}
    assert [v["even_split"] for v in gain["variants"]] == [1000, 1000, 0]


@pytest.mark.parametrize(("names", "control"), [(("a", "control"), "control"), (("a", "b"), "a")])
def test_the_control_in_force_is_marked(client, names, control):
    create(client, *names)
    body = client.get("/experiments/homepage").json()
    assert body["control"] == control
    assert [v["variant_id"] for v in body["variants"] if v["is_control"]] == [control]


def test_a_chosen_control_replaces_the_one_by_default_until_it_is_unchosen(client):
    create(client, "a", "control")
    path = "/experiments/homepage/variants/a"
    assert client.patch(path, json={"is_control": True}).json()["is_control"] is True
    assert [v["is_control"] for v in client.get("/experiments/homepage").json()["variants"]] == [True, False]
    assert client.patch(path, json={"is_control": False}).json()["is_control"] is False
    assert [v["is_control"] for v in client.get("/experiments/homepage").json()["variants"]] == [False, True]
