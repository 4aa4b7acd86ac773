"""Constraints on shares, the policy, and the assignment of units: all from the settings page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import http

VARIANTS = [{"variant_id": "control"}, {"variant_id": "v1.red", "name": "Red"}, {"variant_id": "blue"}]


@pytest.fixture
def experiment(site: str, request: pytest.FixtureRequest):
    """A function that changes and reads an experiment of this test."""
    name = "settings_" + re.sub(r"\W", "_", request.node.name.removeprefix("test_"))[-60:]
    body = {"experiment_id": name, "variants": VARIANTS}
    http.post(f"{site}/experiments", json=body).raise_for_status()

    def read(**patch) -> dict:
        if patch:
            http.patch(f"{site}/experiments/{name}", json=patch).raise_for_status()
        return http.get(f"{site}/experiments/{name}").json()

    return read


def opened(page: Page, site: str, experiment: dict) -> Locator:
    """Open the settings page; return its form."""
    page.goto("about:blank")
    page.goto(f"{site}/#/experiments/{experiment['experiment_id']}/settings")
    form = page.get_by_role("region", name="Settings")
    expect(form).to_be_visible()
    return form


def save(page: Page) -> dict:
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        page.get_by_role("button", name="Save the settings").click()
    return sent.value.post_data_json


def reopened(page: Page, site: str, experiment: dict) -> Locator:
    """Open the settings page again once they are saved."""
    expect(page.locator("#status")).to_have_text("The settings were saved.")
    return opened(page, site, experiment)


def test_floors_and_fixed_shares_of_single_variants_are_set_and_removed(
    page: Page, site: str, experiment
) -> None:
    form = opened(page, site, experiment(min_share=2))
    form.get_by_text("Floors and fixed shares of single variants").click()
    form.get_by_label("Floor of v1.red, percent").fill("5")
    form.get_by_label("Fixed share of control, percent").fill("10")
    assert save(page) == {
        "min_share": {"control": 2, "v1.red": 5, "blue": 2},
        "fixed_share": {"control": 10},
    }
    form = reopened(page, site, experiment())
    floor = form.get_by_label("Floor of v1.red, percent")
    expect(floor).to_have_value("5")  # constraints that are set are shown without a click
    assert experiment()["fixed_share"] == {"control": 10}
    allocation = http.get(f"{site}/allocations/{experiment()['experiment_id']}").json()["allocations"]
    assert allocation["control"] == 10
    for variant in ("control", "v1.red", "blue"):
        form.get_by_label(f"Floor of {variant}, percent").fill("")
    form.get_by_label("Fixed share of control, percent").fill("")
    form.get_by_label("Floor, percent").fill("1")
    assert save(page) == {"min_share": 1, "fixed_share": {"control": None}}
    reopened(page, site, experiment())
    expect(page.get_by_label("Floor, percent")).to_have_value("1")
    assert (experiment()["min_share"], experiment()["fixed_share"]) == (1, {})


def test_one_floor_of_several_is_removed(page: Page, site: str, experiment) -> None:
    form = opened(page, site, experiment(min_share={"control": 3, "blue": 4}))
    form.get_by_label("Floor of blue, percent").fill("")
    assert save(page) == {"min_share": {"blue": 0}}
    reopened(page, site, experiment())
    expect(page.get_by_label("Floor of control, percent")).to_have_value("3")
    expect(page.get_by_label("Floor of blue, percent")).to_have_value("")


def test_nothing_is_sent_if_nothing_was_changed(page: Page, site: str, experiment) -> None:
    form = opened(page, site, experiment(min_share={"blue": 4}, fixed_share={"control": 10}))
    form.get_by_role("button", name="Save the settings").click()
    expect(page.locator("#status")).to_have_text("Nothing was changed.")


def test_an_impossible_share_of_a_single_variant_is_reported_at_its_field(
    page: Page, site: str, experiment
) -> None:
    form = opened(page, site, experiment())
    form.get_by_text("Floors and fixed shares of single variants").click()
    wrong = form.get_by_label("Floor of v1.red, percent")
    wrong.fill("500")
    save(page)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_be_focused()
    wrong.fill("70")
    form.get_by_label("Fixed share of blue, percent").fill("50")
    save(page)
    expect(form.locator(".error:visible")).to_contain_text("sum to 120 %, over 100")


def test_fixed_shares_of_all_variants_are_set(page: Page, site: str, experiment) -> None:
    form = opened(page, site, experiment())
    form.get_by_label("Policy", exact=True).select_option("fixed")
    form.get_by_label("Red, percent").fill("75")
    form.get_by_label("blue, percent", exact=True).fill("25")
    assert save(page) == {"policy": {"kind": "fixed", "shares": {"v1.red": 75, "blue": 25}}}
    form = reopened(page, site, experiment())
    expect(form.get_by_label("Red, percent")).to_have_value("75")
    page.get_by_label("Red, percent").fill("")
    page.get_by_label("control, percent", exact=True).fill("75")
    save(page)
    reopened(page, site, experiment())
    expect(page.get_by_label("Red, percent")).to_have_value("")
    assert experiment()["policy"] == {"kind": "fixed", "shares": {"blue": 25, "control": 75}}


FAMILIES = [("thompson", "value_thompson"), ("epsilon_greedy", "value_epsilon_greedy")]


@pytest.mark.parametrize(("by_rate", "by_value"), FAMILIES)
def test_the_policy_follows_the_objective_within_its_family_and_back(
    page: Page, site: str, experiment, by_rate: str, by_value: str
) -> None:
    form = opened(page, site, experiment(policy={"kind": by_rate}))
    policy, objective = form.get_by_label("Policy", exact=True), form.get_by_label("Objective")
    objective.select_option("value")
    expect(policy).to_have_value(by_value)
    moved = f"the policy is now {by_value.replace('_', ' ')}"
    expect(form.get_by_role("status").filter(has_text=moved)).to_be_visible()
    form.get_by_label("Currency").fill("eur")
    saved = save(page)
    assert (saved["objective"], saved["currency"], saved["policy"]["kind"]) == ("value", "EUR", by_value)
    form = reopened(page, site, experiment())
    form.get_by_label("Objective").select_option("conversion")
    expect(form.get_by_label("Policy", exact=True)).to_have_value(by_rate)
    expect(form.get_by_label("Currency")).to_be_hidden()
    save(page)
    reopened(page, site, experiment())
    assert (experiment()["policy"]["kind"], experiment()["currency"]) == (by_rate, None)


def test_parameters_survive_a_change_of_the_objective(page: Page, site: str, experiment) -> None:
    form = opened(page, site, experiment(policy={"kind": "epsilon_greedy", "epsilon": 0.2}))
    form.get_by_label("epsilon").fill("0.3")
    form.get_by_label("Objective").select_option("value")
    expect(form.get_by_label("epsilon")).to_have_value("0.3")
    form.get_by_label("Objective").select_option("conversion")
    expect(form.get_by_label("epsilon")).to_have_value("0.3")
    assert save(page) == {"policy": {"kind": "epsilon_greedy", "epsilon": 0.3}}


@pytest.mark.parametrize("kind", ["top_two_thompson", "ucb1"])
def test_a_policy_without_a_counterpart_is_restored_on_the_way_back(
    page: Page, site: str, experiment, kind: str
) -> None:
    form = opened(page, site, experiment(policy={"kind": kind}))
    policy, objective = form.get_by_label("Policy", exact=True), form.get_by_label("Objective")
    objective.select_option("value")
    expect(policy).to_have_value("value_thompson")
    objective.select_option("conversion")
    expect(policy).to_have_value(kind)
    form.get_by_role("button", name="Save the settings").click()
    expect(page.locator("#status")).to_have_text("Nothing was changed.")


@pytest.mark.parametrize("kind", ["uniform", "fixed"])
def test_a_policy_for_any_objective_stays(page: Page, site: str, experiment, kind: str) -> None:
    form = opened(page, site, experiment())
    policy, objective = form.get_by_label("Policy", exact=True), form.get_by_label("Objective")
    policy.select_option(kind)
    for one in ("value", "conversion"):
        objective.select_option(one)
        expect(policy).to_have_value(kind)


def test_a_policy_chosen_under_the_other_objective_counts_on_the_way_back(
    page: Page, site: str, experiment
) -> None:
    form = opened(page, site, experiment(policy={"kind": "ucb1"}))
    policy, objective = form.get_by_label("Policy", exact=True), form.get_by_label("Objective")
    objective.select_option("value")
    policy.select_option("value_epsilon_greedy")
    objective.select_option("conversion")
    expect(policy).to_have_value("epsilon_greedy")


def test_the_currency_is_asked_for_at_its_field(page: Page, site: str, experiment) -> None:
    form = opened(page, site, experiment())
    form.get_by_label("Objective").select_option("value")
    form.get_by_role("button", name="Save the settings").click()
    currency = form.get_by_label("Currency")
    expect(currency).to_have_attribute("aria-invalid", "true")
    expect(currency).to_be_focused()
    expect(form.locator(".error:visible")).to_have_text(
        "The objective value needs a currency: three letters, for example EUR."
    )
    assert experiment()["objective"] == "conversion"
    currency.fill("CHF")
    save(page)
    reopened(page, site, experiment())
    assert experiment()["currency"] == "CHF"


def test_text_that_is_not_a_number_is_not_taken_for_an_empty_field(page: Page, site: str, experiment) -> None:
    """A browser reports such a field as empty, and empty means the default."""
    form = opened(page, site, experiment(min_share=2))
    floor = form.get_by_label("Floor, percent")
    floor.fill("")
    floor.press_sequentially("1e")
    save(page)
    expect(floor).to_have_attribute("aria-invalid", "true")
    expect(form.locator(".error:visible")).to_contain_text("valid number")
    assert experiment()["min_share"] == 2


def test_how_units_are_assigned_can_be_set(page: Page, site: str, experiment) -> None:
    form = opened(page, site, experiment())
    form.get_by_text("Assignment of units").click()
    form.get_by_label("Hold-out, percent of units").fill("10")
    form.get_by_label("A unit's variant is stored").select_option("rendezvous")
    form.get_by_label("Rewards count for, days").fill("14")
    sent = {"holdout_percent": 10, "assignment_mode": "rendezvous", "reward_window_days": 14}
    assert save(page) == sent
    reopened(page, site, experiment())
    assert {name: experiment()[name] for name in sent} == sent


def test_shares_follow_hours_or_days_with_the_burn_in_of_each(page: Page, site: str, experiment) -> None:
    form = opened(page, site, experiment())
    for choice, impressions in (("hour", 100), ("day", 0)):
        form.get_by_text("More settings").click()
        form.get_by_label("Shares follow the data").select_option(choice)
        for label in ("Burn-in, days", "Maturity, days"):
            expect(form.get_by_label(label)).to_be_visible(visible=choice == "day")
        assert save(page) == {"cadence": choice, "burn_in": {"impressions": impressions}}
        form = reopened(page, site, experiment())
        assert (experiment()["cadence"], experiment()["burn_in"]["impressions"]) == (choice, impressions)


def test_days_that_were_set_are_taken_back_with_hours(page: Page, site: str, experiment) -> None:
    form = opened(page, site, experiment(maturity_days=3, burn_in={"days": 2, "impressions": 500}))
    form.get_by_text("More settings").click()
    form.get_by_label("Shares follow the data").select_option("hour")
    assert save(page) == {"cadence": "hour", "burn_in": {"days": None}, "maturity_days": None}
    form = reopened(page, site, experiment())
    assert (experiment()["maturity_days"], experiment()["burn_in"]["impressions"]) == (0, 500)
    form.get_by_role("button", name="Save the settings").click()
    expect(page.locator("#status")).to_have_text("Nothing was changed.")


def test_an_experiment_is_offered_as_a_flag_withdrawn_and_left_to_its_source(
    page: Page, site: str, experiment
) -> None:
    form = opened(page, site, experiment())
    for choice, sent in (("true", True), ("false", False), ("", None)):
        form.get_by_text("More settings").click()
        form.get_by_label("OpenFeature clients").select_option(choice)
        assert save(page) == {"flag": sent}
        form = reopened(page, site, experiment())
        assert experiment()["flag"] is sent


def test_saving_fails_if_the_experiment_was_changed_in_the_meantime(
    page: Page, site: str, experiment
) -> None:
    form = opened(page, site, experiment())
    experiment(min_share=3)
    form.get_by_label("Name", exact=True).fill("Mine")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text(
        "This experiment was changed by another user in the meantime"
    )
    assert experiment()["name"] is None


def test_a_dialog_is_closed_when_its_page_is_left(page: Page, site: str, experiment) -> None:
    page.goto(f"{site}/#/plan")
    expect(page.get_by_role("heading", name="Plan")).to_be_visible()
    page.evaluate(
        "address => location.hash = address", f"/experiments/{experiment()['experiment_id']}/settings"
    )
    page.get_by_role("button", name="Archive…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Plan")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert experiment()["state"] == "running"
