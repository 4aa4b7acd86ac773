"""From an empty service to a rolled-out winner, by clicks alone."""

import datetime as dt

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import http

YESTERDAY = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).date().isoformat()
SETTINGS = "#/experiments/banner/settings"


@pytest.fixture
def banner(empty_site: str):
    """A function that reads an experiment with data, which a test may change."""
    body = {
        "experiment_id": "banner",
        "name": "Banner",
        "variants": [{"variant_id": "control"}, {"variant_id": "red"}],
    }
    http.post(f"{empty_site}/experiments", json=body)
    totals = [
        {
            "experiment_id": "banner",
            "variant_id": variant,
            "date": YESTERDAY,
            "impressions": 1000,
            "successes": s,
        }
        for variant, s in (("control", 100), ("red", 160))
    ]
    http.post(f"{empty_site}/metrics/", json=totals).raise_for_status()
    return lambda: http.get(f"{empty_site}/experiments/banner").json()


def dialog(page: Page):
    return page.get_by_role("dialog")


def test_an_empty_service_explains_how_to_begin_and_an_experiment_is_created(
    page: Page, empty_site: str
) -> None:
    page.goto(empty_site)
    expect(page.get_by_text("No experiments yet.")).to_be_visible()
    page.get_by_role("link", name="Create an experiment").click()
    page.get_by_label("Id", exact=True).first.fill("signup_button")
    page.get_by_label("Name", exact=True).first.fill("Sign-up button")
    page.get_by_label("Description").fill("Green or blue?")
    second = page.get_by_role("group", name="Variant 2")
    second.get_by_label("Id").fill("blue")
    second.get_by_label("Name").fill("Blue")
    page.get_by_role("button", name="Add a variant").click()
    page.get_by_role("group", name="Variant 3").get_by_label("Id").fill("green")
    page.get_by_label("Policy", exact=True).select_option("epsilon_greedy")
    page.get_by_label("epsilon").fill("0.2")
    page.get_by_label("Floor, percent").fill("3")
    page.get_by_role("button", name="Create the experiment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign-up button")
    created = http.get(f"{empty_site}/experiments/signup_button").json()
    assert created["policy"] == {"kind": "epsilon_greedy", "epsilon": 0.2}
    assert created["min_share"] == 3
    assert [variant["variant_id"] for variant in created["variants"]] == ["control", "blue", "green"]
    assert created["control"] == "control"
    assert created["description"] == "Green or blue?"


def test_an_experiment_by_the_hour_is_created(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/new")
    page.get_by_label("Id", exact=True).first.fill("flash_sale")
    page.get_by_role("group", name="Variant 2").get_by_label("Id").fill("red")
    page.get_by_text("More settings").click()
    page.get_by_label("Shares follow the data").select_option("hour")
    page.get_by_label("Source of the totals").select_option("reported")
    page.get_by_role("button", name="Create the experiment").click()
    expect(page.locator(".error:visible")).to_contain_text("hour needs source tracked")
    page.get_by_label("Source of the totals").select_option("")
    page.get_by_role("button", name="Create the experiment").click()
    expect(page.get_by_text("units count from the next full hour on")).to_be_visible()
    created = http.get(f"{empty_site}/experiments/flash_sale").json()
    assert (created["cadence"], created["source"]) == ("hour", "tracked")
    assert created["burn_in"]["impressions"] == 100


def test_invalid_values_are_reported_at_their_fields(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/new")
    page.get_by_label("Id", exact=True).first.fill("not an id")
    page.get_by_role("group", name="Variant 2").get_by_label("Id").fill("control two")
    page.get_by_label("Floor, percent").fill("200")
    page.get_by_role("button", name="Create the experiment").click()
    for field in ("experiment_id", "variant_id", "min_share"):
        wrong = page.locator(f'[data-field="{field}"][aria-invalid="true"]')
        expect(wrong).to_have_count(1)
        error = wrong.locator("xpath=following-sibling::p[contains(@class, 'error')]")
        expect(error).to_contain_text("should")
        assert error.get_attribute("id") in wrong.get_attribute("aria-describedby")
    expect(page.locator('[data-field="experiment_id"]')).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Some fields need to be corrected")


def test_settings_that_exclude_each_other_are_reported_at_a_field(
    page: Page, empty_site: str, banner
) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    page.get_by_text("More settings").click()
    page.get_by_label("Window, days").fill("7")
    page.get_by_label("Half-life, days").fill("3")
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_label("Half-life, days")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".error:visible")).to_contain_text("window_days is set too")


def test_only_changed_settings_are_sent(page: Page, empty_site: str, banner) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    page.get_by_label("Name", exact=True).fill("Banner of spring")
    page.get_by_label("Floor, percent").fill("4.5")
    page.get_by_text("More settings").click()
    page.get_by_label("Stale after, days").fill("3")
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        page.get_by_role("button", name="Save the settings").click()
    assert sent.value.post_data_json == {"name": "Banner of spring", "min_share": 4.5, "stale_after_days": 3}
    assert sent.value.headers["if-match"]
    expect(page.get_by_role("heading", level=1)).to_contain_text("Banner of spring")
    assert (banner()["min_share"], banner()["stale_after_days"]) == (4.5, 3)


def test_an_experiment_is_paused_resumed_archived_and_resumed_again(
    page: Page, empty_site: str, banner
) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    steps = [("Pause", "Paused"), ("Resume", "Running"), ("Archive", "Archived"), ("Resume", "Running")]
    for verb, state in steps:
        page.get_by_role("button", name=f"{verb}…").click()
        dialog(page).get_by_role("button", name=verb, exact=True).click()
        expect(page.locator(".heading .badge").first).to_have_text(state)
        assert banner()["state"] == state.lower()


def test_a_dialog_is_dismissed_by_escape(page: Page, empty_site: str, banner) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    page.get_by_role("button", name="Pause…").click()
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    assert banner()["state"] == "running"


def test_variants_are_added_edited_retired_reactivated_and_deleted(
    page: Page, empty_site: str, banner
) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    page.get_by_role("button", name="Add a variant…").click()
    dialog(page).get_by_label("Id").fill("no such id!")
    dialog(page).get_by_role("button", name="Add it").click()
    expect(dialog(page).locator('[data-field="variant_id"]')).to_have_attribute("aria-invalid", "true")
    dialog(page).get_by_label("Id").fill("blue")
    dialog(page).get_by_role("button", name="Add it").click()
    page.get_by_role("button", name="Edit blue").click()
    dialog(page).get_by_label("Name").fill("Deep blue")
    dialog(page).get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Retire Deep blue").click()
    dialog(page).get_by_role("button", name="Retire it").click()
    page.get_by_role("button", name="Reactivate Deep blue").click()
    expect(page.get_by_role("button", name="Retire Deep blue")).to_be_visible()
    page.get_by_role("button", name="Delete Deep blue").click()
    dialog(page).get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Edit Deep blue")).to_have_count(0)
    assert [variant["variant_id"] for variant in banner()["variants"]] == ["control", "red"]


def test_a_variant_that_was_shown_cannot_be_deleted_and_the_page_explains_why(
    page: Page, empty_site: str, banner
) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    page.get_by_role("button", name="Delete red").click()
    dialog(page).get_by_role("button", name="Delete").click()
    expect(dialog(page)).to_contain_text("That did not work")
    expect(dialog(page)).to_contain_text("retire")
    dialog(page).get_by_role("button", name="Close").click()


def test_the_winner_is_rolled_out_after_two_confirmations_and_the_rollout_undone(
    page: Page, empty_site: str, banner
) -> None:
    page.goto(f"{empty_site}/#/experiments/banner")
    page.get_by_role("button", name="Roll out the winner…").click()
    expect(dialog(page).get_by_label("Which variant should get all traffic?")).to_have_value("red")
    dialog(page).get_by_role("button", name="Continue").click()
    assert banner()["rollout"] is None
    dialog(page).get_by_role("button", name="Yes, roll out red").click()
    expect(page.get_by_text("Rolled out", exact=True)).to_be_visible()
    row = page.get_by_role("table").first.get_by_role("row").filter(has_text="red")
    expect(row).to_contain_text("100.00%")
    assert banner()["rollout"] == "red"
    page.get_by_role("button", name="Undo the rollout…").click()
    dialog(page).get_by_role("button", name="Undo the rollout").click()
    expect(page.get_by_role("button", name="Roll out the winner…")).to_be_visible()
    assert banner()["rollout"] is None


CSV = """experiment_id,variant_id,date,impressions,successes
pasted,one,2026-03-01,1000,100
pasted,two,2026-03-01,1000,lots
pasted,two,2026-03-02,1000,130
"""


def test_a_pasted_csv_is_stored_and_rejected_lines_are_listed(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/upload")
    page.get_by_role("button", name="Store these totals").click()
    expect(page.get_by_text("There is nothing to store yet")).to_be_visible()
    page.get_by_label("CSV").fill(CSV)
    page.get_by_role("button", name="Store these totals").click()
    expect(page.locator(".report")).to_have_text("3 lines read: 2 new, 1 rejected.")
    rejected = page.get_by_role("table", name="Rejected lines").locator("tbody tr")
    expect(rejected).to_have_count(1)
    expect(rejected).to_contain_text("3")
    expect(rejected).to_contain_text("successes")
    page.get_by_role("link", name="pasted").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("pasted")


def test_a_file_is_chosen_or_dropped_and_sending_it_again_changes_nothing(
    page: Page, empty_site: str
) -> None:
    text = CSV.replace("pasted", "dropped").replace("lots", "111")
    page.goto(f"{empty_site}/#/upload")
    page.get_by_label("Choose a file…").set_input_files(
        {"name": "days.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    expect(page.get_by_label("CSV")).to_have_value(text)
    page.get_by_role("button", name="Store these totals").click()
    expect(page.locator(".report")).to_have_text("3 lines read: 3 new.")
    page.get_by_label("CSV").fill("")
    transfer = page.evaluate_handle(
        """text => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text], "days.csv", {type: "text/csv"}));
          return transfer;
        }""",
        text,
    )
    page.locator(".upload").dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.get_by_label("CSV")).to_have_value(text)
    page.get_by_role("button", name="Store these totals").click()
    expect(page.locator(".report")).to_have_text("3 lines read: 3 unchanged.")


def test_a_plan_shows_how_long_it_will_take_and_its_link_shows_the_same(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/plan")
    page.get_by_label("Assumed rates, percent").fill("10, 14")
    page.get_by_label("Impressions a day").fill("3000")
    page.get_by_label("Maximum, days").fill("20")
    page.get_by_role("button", name="Calculate").click()
    headline = page.locator(".headline")
    expect(headline).to_contain_text("to a decision")
    request = {"rates": [0.1, 0.14], "traffic": 3000, "days": 20}
    plan = http.post(f"{empty_site}/plans", json=request).json()
    expect(page.locator(".tile").first).to_contain_text(f"{plan['days']['mean']:.1f}".removesuffix(".0"))
    text, address = headline.inner_text(), page.url
    page.goto("about:blank")
    page.goto(address)
    expect(headline).to_have_text(text)


def test_invalid_values_of_a_plan_are_reported_at_their_fields(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/plan")
    page.get_by_label("Assumed rates, percent").fill("10, 140")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator('[data-field="rates"]')).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".error:visible")).to_contain_text("less than or equal to 1")


def test_a_plan_with_a_delay_is_calculated_with_and_without_its_correction(
    page: Page, empty_site: str
) -> None:
    page.goto(f"{empty_site}/#/plan")
    page.get_by_label("Assumed rates, percent").fill("10, 14")
    page.get_by_label("Impressions a day").fill("3000")
    page.get_by_label("Maximum, days").fill("40")
    page.get_by_label("Conversions come").select_option("geometric")
    page.get_by_label("Mean delay, days").fill("7")
    mean = {}
    for correction in ("auto", "none"):
        page.get_by_label("Outstanding conversions").select_option(correction)
        with page.expect_response("**/plans") as answered:
            page.get_by_role("button", name="Calculate").click()
        request = answered.value.request.post_data_json
        assert request["delay"] == {"kind": "geometric", "mean": 7}
        assert request["delay_correction"] == correction
        mean[correction] = answered.value.json()["days"]["mean"]
        expect(page.locator(".tile").first).to_contain_text(f"{mean[correction]:.1f}".removesuffix(".0"))
    assert mean["auto"] != mean["none"]
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_label("Outstanding conversions")).to_have_value("none")
    expect(page.locator(".tile").first).to_contain_text(f"{mean['none']:.1f}".removesuffix(".0"))


def test_a_delay_that_cannot_be_is_reported_at_its_field_of_the_plan(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/plan")
    for kind, label in (("geometric", "Mean delay, days"), ("fixed", "Delay, days")):
        page.get_by_label("Conversions come").select_option(kind)
        field = page.get_by_label(label, exact=True)
        field.fill("400")
        page.get_by_role("button", name="Calculate").click()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".error:visible")).to_contain_text("less than or equal to 365")


def test_a_plan_without_a_delay_asks_for_none_of_its_fields(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/plan")
    expect(page.get_by_label("Conversions come")).to_have_value("none")
    for label in ("Delay, days", "Mean delay, days", "Outstanding conversions"):
        expect(page.get_by_label(label, exact=True)).to_be_hidden()
