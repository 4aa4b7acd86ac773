"""From nothing to a rolled-out winner, by clicks alone."""

import datetime as dt

import httpx2
import pytest
from playwright.sync_api import Page, expect

YESTERDAY = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).date().isoformat()
SETTINGS = "#/experiments/banner/settings"


@pytest.fixture
def banner(empty_site: str):
    """An experiment that a test may change, as if it were new."""
    body = {
        "experiment_id": "banner",
        "name": "Banner",
        "variants": [{"variant_id": "control"}, {"variant_id": "red"}],
    }
    httpx2.post(f"{empty_site}/experiments", json=body)
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
    httpx2.post(f"{empty_site}/metrics/", json=totals).raise_for_status()
    return lambda: httpx2.get(f"{empty_site}/experiments/banner").json()


def dialog(page: Page):
    return page.get_by_role("dialog")


def test_an_empty_service_says_how_to_begin_and_the_first_experiment_is_made(
    page: Page, empty_site: str
) -> None:
    page.goto(empty_site)
    expect(page.get_by_text("No experiment yet.")).to_be_visible()
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
    made = httpx2.get(f"{empty_site}/experiments/signup_button").json()
    assert made["policy"] == {"kind": "epsilon_greedy", "epsilon": 0.2}
    assert made["min_share"] == 3
    assert [variant["variant_id"] for variant in made["variants"]] == ["control", "blue", "green"]
    assert made["control"] == "control"
    assert made["description"] == "Green or blue?"


def test_nonsense_is_refused_beside_the_fields_it_is_about(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/new")
    page.get_by_label("Id", exact=True).first.fill("not an id")
    page.get_by_role("group", name="Variant 2").get_by_label("Id").fill("control two")
    page.get_by_label("Floor, percent").fill("200")
    page.get_by_role("button", name="Create the experiment").click()
    for field in ("experiment_id", "variant_id", "min_share"):
        wrong = page.locator(f'[data-field="{field}"][aria-invalid="true"]')
        expect(wrong).to_have_count(1)
        fault = wrong.locator("xpath=following-sibling::p[contains(@class, 'fault')]")
        expect(fault).to_contain_text("should")
        assert fault.get_attribute("id") in wrong.get_attribute("aria-describedby")
    expect(page.locator('[data-field="experiment_id"]')).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Some fields need another look")


def test_what_only_goes_together_is_said_where_it_was_entered(page: Page, empty_site: str, banner) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    page.get_by_text("More settings").click()
    page.get_by_label("Window, days").fill("7")
    page.get_by_label("Half-life, days").fill("3")
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_role("alert")).to_contain_text("window_days is set too")


def test_settings_are_changed_and_only_what_was_changed_is_sent(page: Page, empty_site: str, banner) -> None:
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


def test_an_experiment_is_paused_resumed_archived_and_brought_back(
    page: Page, empty_site: str, banner
) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    steps = [("Pause", "Paused"), ("Resume", "Running"), ("Archive", "Archived"), ("Resume", "Running")]
    for verb, state in steps:
        page.get_by_role("button", name=f"{verb}…").click()
        dialog(page).get_by_role("button", name=verb, exact=True).click()
        expect(page.locator(".heading .badge").first).to_have_text(state)
        assert banner()["state"] == state.lower()


def test_a_question_can_be_dismissed_by_escape(page: Page, empty_site: str, banner) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    page.get_by_role("button", name="Pause…").click()
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    assert banner()["state"] == "running"


def test_variants_are_added_described_retired_brought_back_and_deleted(
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
    page.get_by_role("button", name="Bring back Deep blue").click()
    expect(page.get_by_role("button", name="Retire Deep blue")).to_be_visible()
    page.get_by_role("button", name="Delete Deep blue").click()
    dialog(page).get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Edit Deep blue")).to_have_count(0)
    assert [variant["variant_id"] for variant in banner()["variants"]] == ["control", "red"]


def test_a_variant_that_was_shown_is_not_deleted_and_the_page_says_why(
    page: Page, empty_site: str, banner
) -> None:
    page.goto(f"{empty_site}/{SETTINGS}")
    page.get_by_role("button", name="Delete red").click()
    dialog(page).get_by_role("button", name="Delete").click()
    expect(dialog(page)).to_contain_text("That did not work")
    expect(dialog(page)).to_contain_text("retire")
    dialog(page).get_by_role("button", name="Close").click()


def test_the_winner_is_rolled_out_after_asking_twice_and_the_rollout_undone(
    page: Page, empty_site: str, banner
) -> None:
    page.goto(f"{empty_site}/#/experiments/banner")
    page.get_by_role("button", name="Roll out the winner…").click()
    expect(dialog(page).get_by_label("Which variant gets all traffic?")).to_have_value("red")
    dialog(page).get_by_role("button", name="Go on").click()
    assert banner()["rollout"] is None
    dialog(page).get_by_role("button", name="Yes, give red everything").click()
    expect(page.get_by_text("Rolled out", exact=True)).to_be_visible()
    row = page.get_by_role("table").first.get_by_role("row").filter(has_text="red")
    expect(row).to_contain_text("100.00%")
    assert banner()["rollout"] == "red"
    page.get_by_role("button", name="Undo the rollout").click()
    dialog(page).get_by_role("button", name="Let the policy decide").click()
    expect(page.get_by_role("button", name="Roll out the winner…")).to_be_visible()
    assert banner()["rollout"] is None


CSV = """experiment_id,variant_id,date,impressions,successes
pasted,one,2026-03-01,1000,100
pasted,two,2026-03-01,1000,lots
pasted,two,2026-03-02,1000,130
"""


def test_a_pasted_csv_is_stored_and_refused_lines_are_named(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/upload")
    page.get_by_role("button", name="Store these totals").click()
    expect(page.get_by_text("There is nothing to store yet")).to_be_visible()
    page.get_by_label("CSV").fill(CSV)
    page.get_by_role("button", name="Store these totals").click()
    expect(page.locator(".report")).to_have_text("3 lines read: 2 new, 1 refused.")
    refused = page.get_by_role("table", name="Refused lines").locator("tbody tr")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("3")
    expect(refused).to_contain_text("successes")
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
    expect(page.locator(".report")).to_have_text("3 lines read: 3 known already.")


def test_a_plan_says_how_long_it_will_take_and_its_link_shows_the_same(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/plan")
    page.get_by_label("Supposed rates, percent").fill("10, 14")
    page.get_by_label("Impressions a day").fill("3000")
    page.get_by_label("Longest, days").fill("20")
    page.get_by_role("button", name="Play it").click()
    headline = page.locator(".headline")
    expect(headline).to_contain_text("to a decision")
    asked = {"rates": [0.1, 0.14], "traffic": 3000, "days": 20}
    plan = httpx2.post(f"{empty_site}/plans", json=asked, timeout=300).json()
    expect(page.locator(".tile").first).to_contain_text(f"{plan['days']['mean']:.1f}".removesuffix(".0"))
    said, address = headline.inner_text(), page.url
    page.goto("about:blank")
    page.goto(address)
    expect(headline).to_have_text(said)


def test_nonsense_in_a_plan_is_refused_beside_its_field(page: Page, empty_site: str) -> None:
    page.goto(f"{empty_site}/#/plan")
    page.get_by_label("Supposed rates, percent").fill("10, 140")
    page.get_by_role("button", name="Play it").click()
    expect(page.locator('[data-field="rates"]')).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".fault:visible")).to_contain_text("less than or equal to 1")
