"""The pages of an experiment show what the API returns."""

import csv
import datetime as dt
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import http
from tests.support.browser.tables import cells

HOMEPAGE = "#/experiments/homepage_test"


def percent(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}%"


def wait_for_charts(page: Page, number: int) -> None:
    for place in range(number):
        page.locator("figure.chart").nth(place).scroll_into_view_if_needed()
        expect(page.locator("figure.chart .canvas").nth(place)).to_have_attribute("data-drawn", "yes")


def test_the_list_shows_state_shares_leader_age_and_gates(page: Page, site: str, api) -> None:
    page.goto(site)
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Homepage headline"))
    expect(card).to_contain_text("Running")
    expect(card).to_contain_text("homepage_test")
    allocation = api("/allocations/homepage_test")
    days = (
        dt.date.fromisoformat(allocation["date"]) - dt.date.fromisoformat(allocation["data_through"])
    ).days
    expect(card).to_contain_text("yesterday" if days == 1 else f"{days} days ago")
    expect(card).to_contain_text(percent(allocation["allocations"]["bold"]))
    best = max(allocation["variants"], key=lambda variant: variant["p_best"])
    expect(card.locator(".facts")).to_contain_text(re.compile(rf"{100 * best['p_best']:.1f}%|100%"))
    paused = page.get_by_role("listitem").filter(has_text="pricing_page")
    expect(paused).to_contain_text("Paused")
    stale = page.get_by_role("listitem").filter(has_text="newsletter_subject")
    expect(stale).to_contain_text("Stale data")
    fresh = page.get_by_role("listitem").filter(has_text="push_time")
    expect(fresh).to_contain_text("No data yet")
    expect(fresh).to_contain_text("no data")


def test_todays_numbers_are_those_of_the_api(page: Page, site: str, api) -> None:
    page.goto(f"{site}/{HOMEPAGE}")
    allocation = api("/allocations/homepage_test")
    names = {v["variant_id"]: v["name"] for v in api("/experiments/homepage_test")["variants"]}
    shown = cells(page, re.compile("Variants on"))
    for variant in allocation["variants"]:
        name = f"{names[variant['variant_id']]} {variant['variant_id']}"
        row = next(row for text, row in shown.items() if text.startswith(name))
        assert row[0] == percent(variant["share"])
        assert row[5] == f"{variant['impressions']:,}"
        assert row[6] == f"{variant['successes']:,}"
        assert float(row[2].rstrip("%")) == pytest.approx(100 * variant["mean"], rel=1e-3)
        low, high = re.findall(r"([\d.]+)%", row[3])
        assert [float(low), float(high)] == pytest.approx([100 * e for e in variant["interval_95"]], rel=1e-3)
    for reason in allocation["explain"]:
        expect(page.get_by_role("region", name="Why these shares")).to_contain_text(reason)
    expect(page.get_by_text("Advice", exact=True)).to_be_visible()
    wait_for_charts(page, 1)


def test_the_gain_and_the_comparison_are_those_of_the_api(page: Page, site: str, api) -> None:
    page.goto(f"{site}/#/experiments/checkout_upsell")
    gain, compared = (api(f"/experiments/checkout_upsell/{what}") for what in ("gain", "comparison"))
    tile = page.locator(".tile").filter(has_text="Extra conversions")
    expect(tile.locator("b")).to_have_text(re.compile(rf"\+?{round(gain['conversions']['mean']):,}"))
    value = page.locator(".tile").filter(has_text="Extra value")
    expect(value.locator("b")).to_contain_text("€")
    shown = float(re.sub(r"[^\d.-]", "", value.locator("b").inner_text()))
    assert shown == pytest.approx(gain["value"]["mean"], rel=2e-3)
    table = cells(page, "Every variant against the control")
    for variant in compared["variants"]:
        row = next(cells for name, cells in table.items() if name.lower() == variant["variant_id"])
        assert float(row[-1].rstrip("%")) == pytest.approx(100 * variant["p_better"], abs=0.051)


def test_a_gate_is_shown_with_its_explanation(page: Page, site: str) -> None:
    page.goto(f"{site}/#/experiments/newsletter_subject")
    expect(page.locator(".badges")).to_contain_text("Stale data")
    expect(page.get_by_role("region", name="Why these shares")).to_contain_text(
        "the shares are based on old data"
    )


def test_a_new_experiment_shows_what_to_do_next(page: Page, site: str) -> None:
    page.goto(f"{site}/#/experiments/push_time")
    expect(page.get_by_text("No data yet: until there are")).to_be_visible()
    expect(page.get_by_role("link", name="Upload a CSV")).to_be_visible()


def test_history_draws_every_chart_with_its_data_table(page: Page, site: str, api) -> None:
    page.goto(f"{site}/{HOMEPAGE}/history")
    wait_for_charts(page, 5)
    titles = page.locator("figure.chart h3").all_inner_texts()
    assert titles == [
        "Shares of traffic by date",
        "Rate of each day",
        "Successes so far",
        "Expected loss of keeping each variant",
        "Value remaining",
    ]
    page.locator("figure.chart summary").first.click()
    last = api("/allocations/homepage_test/history?limit=1")["items"][0]
    row = page.locator("figure.chart").first.locator("tbody tr").first
    for share in last["allocations"].values():
        expect(row).to_contain_text(percent(share))


def test_the_history_is_a_table_and_a_csv_with_every_revision(page: Page, site: str, api) -> None:
    page.goto(f"{site}/{HOMEPAGE}/history?days=all")
    revisions = api("/allocations/homepage_test/history?limit=1000")["items"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename == "homepage_test-history.csv"
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["revision"] for row in rows] == [revision["revision"] for revision in revisions]
    assert [float(row["share_bold"]) for row in rows] == [r["allocations"]["bold"] for r in revisions]
    shown = page.get_by_role("table", name="Recorded revisions, the newest first").locator("tbody tr")
    expect(shown).to_have_count(len(revisions))


def test_a_revised_day_is_shown_in_the_chart_and_in_the_table(page: Page, site: str, api) -> None:
    page.goto(f"{site}/{HOMEPAGE}/history")
    wait_for_charts(page, 1)
    revisions = api("/allocations/homepage_test/history?limit=1000")["items"]
    twice = next(revision for revision in revisions if revision["sequence"] == 2)
    chart = page.get_by_role("img", name=re.compile("Shares of traffic by date"))
    expect(chart).to_have_attribute("aria-label", re.compile(rf"{len(revisions)} recorded revisions"))
    row = page.get_by_role("row").filter(has_text=twice["revision"])
    expect(row.locator("td").first).to_have_text("2")


def test_a_days_interval_is_wilsons(page: Page, site: str, api) -> None:
    """Wilson (1927): the two rates p with |s/n - p| = z sqrt(p (1 - p) / n)."""
    page.goto(f"{site}/#/experiments/newsletter_subject/history?days=all")
    page.locator("figure.chart summary").nth(1).click()
    first = page.locator("figure.chart").nth(1).locator("tbody tr").first.locator("td")
    low, high = (float(end) / 100 for end in re.findall(r"([\d.]+)%", first.nth(2).inner_text()))
    last = api("/metrics/newsletter_subject?limit=1000")["items"][-1]
    n, rate = last["impressions"], last["successes"] / last["impressions"]
    for end in (low, high):
        assert abs(rate - end) == pytest.approx(1.96 * (end * (1 - end) / n) ** 0.5, rel=0.01)


def test_the_stored_days_are_shown_and_can_be_downloaded(page: Page, site: str, api) -> None:
    page.goto(f"{site}/#/experiments/newsletter_subject/data?days=all")
    stored = api("/metrics/newsletter_subject?limit=1000")["items"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["variant_id"], row["date"], int(row["impressions"])) for row in rows] == [
        (one["variant_id"], one["date"], one["impressions"]) for one in stored
    ]
    expect(page.get_by_role("region", name="Totals that decide today", exact=True)).to_contain_text(
        "Emoji", ignore_case=True
    )


def test_the_tabs_of_an_experiment_lead_to_its_pages(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name="Homepage headline").click()
    for tab in ("Over time", "Data", "Settings", "Today"):
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.get_by_role("link", name=tab, exact=True)).to_have_attribute("aria-current", "page")
        expect(page).to_have_title("Homepage headline · Groundhog")
    page.go_back()
    expect(page.get_by_role("button", name="Pause…")).to_be_visible()


@pytest.fixture
def untried(site: str) -> str:
    """An experiment with a variant that has data on no day, and its control found by its name."""
    name, variants = "untried", ["blue", "control", "new"]
    body = {"experiment_id": name, "variants": [{"variant_id": variant} for variant in variants]}
    http.post(f"{site}/experiments", json=body)
    yesterday = str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1))
    day = {"experiment_id": name, "date": yesterday, "impressions": 1000}
    totals = [
        {**day, "variant_id": "blue", "successes": 130},
        {**day, "variant_id": "control", "successes": 100},
    ]
    http.post(f"{site}/metrics/", json=totals).raise_for_status()
    return f"{site}/#/experiments/{name}"


def test_a_variant_without_data_has_no_estimates(page: Page, untried: str) -> None:
    page.goto(untried)
    row = next(row for name, row in cells(page, re.compile("Variants on")).items() if name.startswith("new"))
    assert row[1:] == ["–", "–", "no data yet", "–", "0", "0"]
    against = cells(page, "Every variant against the control")
    assert float(against["blue"][-1].rstrip("%")) > 90
    assert against.get("new", ["–"] * 3) == ["–"] * 3
    page.locator("figure.chart summary").first.click()
    expect(page.locator("figure.chart tbody tr")).to_have_count(2)
    expect(page.locator("figure.chart .chart-legend li")).to_have_text(["blue", "control"])


def test_the_control_in_force_is_marked(page: Page, untried: str, api) -> None:
    experiment = api("/experiments/untried")
    assert experiment["control"] == "control"
    marked = {
        "": page.get_by_role("table", name=re.compile("Variants on")),
        "/settings": page.locator(".variant-list"),
    }
    for path, table in marked.items():
        page.goto(untried + path)
        expect(table.locator("tbody th .badge")).to_have_text(["control"])
        expect(
            table.locator("tbody tr").nth(1).locator(".badge")
        ).to_be_visible()  # variants: blue, control, new


def test_after_a_rollout_the_advice_says_so(page: Page, site: str) -> None:
    name, variants = "rolled", [{"variant_id": "a", "name": "Plain"}, {"variant_id": "b", "name": "Fancy"}]
    http.post(f"{site}/experiments", json={"experiment_id": name, "variants": variants}).raise_for_status()
    http.post(f"{site}/experiments/{name}/rollout", json={"variant_id": "b"}).raise_for_status()
    page.goto(f"{site}/#/experiments/{name}")
    notice = page.locator(".notice").filter(has_text="Advice")
    expect(notice).to_contain_text("Fancy is rolled out")
    expect(notice).not_to_contain_text("yet")
