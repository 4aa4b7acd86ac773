"""Constraints on shares, the policy, and the assignment of units: all from the settings page."""

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

VARIANTS = [{"variant_id": "control"}, {"variant_id": "v1.red", "name": "Red"}, {"variant_id": "blue"}]


@pytest.fixture
def experiment(site: str, request: pytest.FixtureRequest):
    """A function that changes and reads an experiment of this test."""
    name = f"settings_{request.node.originalname.removeprefix('test_')}"[:60]
    body = {"experiment_id": name, "variants": VARIANTS}
    httpx2.post(f"{site}/experiments", json=body).raise_for_status()

    def read(**patch) -> dict:
        if patch:
            httpx2.patch(f"{site}/experiments/{name}", json=patch).raise_for_status()
        return httpx2.get(f"{site}/experiments/{name}").json()

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
    allocation = httpx2.get(f"{site}/allocations/{experiment()['experiment_id']}").json()["allocations"]
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
