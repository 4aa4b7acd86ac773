"""Unusual experiments: equal names, many variants, long names, tracked, values of cents, large files."""

import datetime as dt
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import http
from tests.support.browser.accessibility import label_problems, overflow
from tests.support.browser.simulator_page import press_run, run_of
from tests.support.browser.tables import number

YESTERDAY = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).date()


def create(site: str, experiment_id: str, variants: list[dict], **more) -> None:
    body = {"experiment_id": experiment_id, "variants": variants, **more}
    http.post(f"{site}/experiments", json=body).raise_for_status()


def report(site: str, name: str, successes: dict[str, int], **more) -> None:
    days = [YESTERDAY - dt.timedelta(days=day) for day in (1, 0)]
    totals = [
        {
            "experiment_id": name,
            "variant_id": variant,
            "date": str(day),
            "impressions": 1000,
            "successes": s,
            **more,
        }
        for day in days
        for variant, s in successes.items()
    ]
    http.post(f"{site}/metrics/", json=totals).raise_for_status()


def test_variants_of_the_same_name_are_distinguished_in_tables_and_charts(page: Page, site: str) -> None:
    create(site, "namesakes", [{"variant_id": "a", "name": "Blue"}, {"variant_id": "b", "name": "Blue"}])
    report(site, "namesakes", {"a": 100, "b": 140})
    page.goto(f"{site}/#/experiments/namesakes")
    rows = page.get_by_role("table", name=re.compile("Variants on")).locator("tbody th")
    expect(rows).to_contain_text(["Blue (a)", "Blue (b)"])
    page.get_by_role("link", name="Over time").click()
    chart = page.locator("figure.chart").filter(has_text="Rate of each day")
    chart.locator("summary").click()
    names = chart.locator("tbody tr td:nth-child(2)")
    expect(names).to_have_text(["Blue (b)", "Blue (a)"] * 2)


def test_of_many_variants_the_largest_come_first_and_are_drawn(page: Page, site: str) -> None:
    rates = {f"v{place:02d}": 50 + 3 * ((place * 7) % 24) for place in range(24)}
    create(site, "many", [{"variant_id": name} for name in rates])
    report(site, "many", rates)
    http.get(f"{site}/allocations/many").raise_for_status()
    page.goto(f"{site}/#/experiments/many")
    shares = page.get_by_role("table", name=re.compile("Variants on")).locator("tbody td:nth-child(2)")
    expect(shares).to_have_count(24)
    shown = [number(text) for text in shares.all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    picture = page.get_by_role("img", name=re.compile("the 12 likeliest of 24 variants"))
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_attribute("data-drawn", "yes")
    page.get_by_role("link", name="Over time").click()
    expect(page.get_by_role("img", name=re.compile("Shares of traffic by date"))).to_have_attribute(
        "aria-label", re.compile("12 of 24 variants are drawn")
    )
    sums = page.locator("figure.chart").filter(has_text="Successes so far")
    sums.locator("summary").click()
    rest = sums.get_by_role("row").filter(has_text="all others").first
    drawn = sums.get_by_role("row").filter(has_text=re.compile("v[0-9]{2}"))
    last = [number(text) for text in drawn.locator("td:last-child").all_inner_texts()[:12]]
    assert sum(last) + number(rest.locator("td:last-child").inner_text()) == 2 * sum(rates.values())


def test_long_names_fit_a_small_screen(page: Page, site: str) -> None:
    words = "An extraordinarily long name that somebody pasted out of a ticket. " * 2
    variants = [{"variant_id": "control" * 15, "name": words[:190]}, {"variant_id": "b", "name": "W" * 150}]
    create(site, "x" * 128, variants, name="Y" * 150, description=words)
    page.set_viewport_size({"width": 360, "height": 740})
    tab = page.locator(".tabs [aria-current]")
    for part, title in {
        "": "Today",
        "/history": "Over time",
        "/data": "Data",
        "/settings": "Settings",
    }.items():
        page.goto(f"{site}/#/experiments/{'x' * 128}{part}")
        expect(tab).to_have_text(title)
        assert overflow(page) == 0
        shown = tab.bounding_box()
        assert shown is not None
        assert 0 <= shown["x"] <= 360 - shown["width"]


def test_the_value_per_impression_may_be_less_than_a_cent(page: Page, site: str, api) -> None:
    create(
        site, "cents", [{"variant_id": "a"}, {"variant_id": "b"}],
        objective="value", currency="EUR", policy={"kind": "value_thompson"},
    )  # fmt: skip
    report(site, "cents", {"a": 20, "b": 22}, revenue=2.5, revenue_sq=0.4)
    page.goto(f"{site}/#/experiments/cents")
    first = page.get_by_role("table", name=re.compile("Variants on")).locator("tbody tr").first.locator("td")
    expected = api("/allocations/cents")["variants"][0]
    shown = [float(amount) for amount in re.findall(r"€([\d.]+)", first.nth(4).inner_text())]
    assert shown == pytest.approx(
        [expected["value_per_impression"], *expected["value_interval_95"]], rel=6e-3
    )
    assert number(first.nth(5).inner_text()) == pytest.approx(expected["expected_loss"], rel=6e-3)
    notice = page.locator(".notice").filter(has_text="Advice")
    expect(notice).not_to_contain_text("probability 100%")


@pytest.fixture(scope="module")
def tracked(site: str) -> str:
    """A tracked experiment whose units were assigned, held out, exposed and partly converted today."""
    variants = [{"variant_id": "blue"}, {"variant_id": "green"}]
    create(site, "signup", variants, source="tracked", holdout_percent=20)
    units = [{"experiment_id": "signup", "unit_id": f"u{place}"} for place in range(400)]
    http.post(f"{site}/assignments", json=units).raise_for_status()
    seen = [{**unit, "event_id": f"e{i}", "type": "exposure"} for i, unit in enumerate(units)]
    done = [{**unit, "event_id": f"c{i}", "type": "conversion"} for i, unit in enumerate(units) if i % 5 == 0]
    http.post(f"{site}/events", json=seen + done).raise_for_status()
    return "signup"


def test_a_tracked_experiment_is_shown_by_its_units(page: Page, site: str, api, tracked: str) -> None:
    page.goto(f"{site}/#/experiments/{tracked}")
    expect(page.locator(".empty")).to_contain_text("POST /events")
    expect(page.get_by_role("link", name="Upload a CSV")).to_have_count(0)
    held = api(f"/experiments/{tracked}/estimates")["holdout"]
    rows = page.get_by_role("table", name="Units in the experiment against the hold-out").locator("tr")
    expect(rows.filter(has_text="Units in the hold-out")).to_contain_text(f"{held['units']}")
    lift = rows.filter(has_text="percentage points").locator("td")
    assert number(lift.first.inner_text()) == pytest.approx(100 * held["lift"], rel=6e-3)
    ends = [number(end) for end in lift.last.inner_text().split(" to ")]
    assert ends == pytest.approx([100 * end for end in held["interval_95"]], rel=6e-3)
    assert label_problems(page) == []

    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_text("Daily totals are not accepted.")).to_be_visible()
    page.get_by_role("link", name="Evaluate other policies on its decisions").click()
    expect(page.get_by_label("Experiment", exact=True)).to_have_value(tracked)
    press_run(page, "Evaluate")
    expect(page.locator(".tile").filter(has_text="Decisions")).to_contain_text(f"{400 - held['units']}")
    run = run_of(page)
    assert run["log"]["arms"] == ["blue", "green"]
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_label("Experiment", exact=True)).to_have_value(tracked)
    expect(page.get_by_role("table", name=re.compile("Estimates of every policy"))).to_be_visible()


@pytest.mark.parametrize(
    ("experiment", "since", "field", "error"),
    [
        ("", "", "Experiment", "the first a letter or digit"),
        ("signup", "2030-01-01", "First exposed from", "should leave 1 to"),
        ("homepage_test", "", None, "it has no log of units"),
        ("nobody", "", None, "There is no experiment 'nobody'"),
    ],
)
@pytest.mark.usefixtures("tracked")
def test_an_experiment_that_cannot_be_replayed_is_reported(
    page: Page, site: str, experiment: str, since: str, field: str | None, error: str
) -> None:
    page.goto(f"{site}/#/replay")
    page.get_by_label("Source of the decisions").select_option("experiment")
    page.get_by_label("Experiment", exact=True).fill(experiment)
    page.get_by_label("First exposed from").fill(since)
    press_run(page, "Evaluate")
    if field is None:
        expect(page.get_by_role("alert")).to_contain_text(error)
    else:
        expect(page.get_by_label(field, exact=True)).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".error:visible")).to_contain_text(error)


def test_a_large_file_is_sent_without_being_shown(page: Page, site: str, tmp_path: Path) -> None:
    header = "experiment_id,variant_id,date,impressions,successes\n"
    days = [YESTERDAY - dt.timedelta(days=day) for day in range(3000)]
    lines = (f"large,{variant},{day},1000,100\n" for variant in "abcdefghijkl" for day in days)
    file = tmp_path / "large.csv"
    file.write_text(header + "".join(lines) + "large,a,yesterday,1,1\n")
    page.goto(f"{site}/#/upload")
    page.get_by_label("Choose a file…").set_input_files(file)
    expect(page.locator(".upload")).to_contain_text(
        re.compile("large.csv, 1(.[0-9])? MB, is too large to show")
    )
    expect(page.get_by_label("CSV")).to_have_value("")
    page.get_by_role("button", name="Store these totals").click()
    expect(page.locator(".report")).to_have_text("36,001 lines read: 36,000 new, 1 rejected.")
    expect(page.get_by_role("link", name="large", exact=True)).to_be_visible()


def test_a_csv_without_a_header_is_rejected_with_the_reason(page: Page, site: str) -> None:
    page.goto(f"{site}/#/upload")
    page.get_by_label("CSV").fill("homepage_test,bold,2026-03-01,10,1")
    page.get_by_role("button", name="Store these totals").click()
    expect(page.locator(".notice.bad")).to_contain_text("should name the columns experiment_id")


def test_totals_beyond_what_a_page_reads_are_not_omitted_silently(page: Page, site: str) -> None:
    one = {"variant_id": "bold", "date": "2026-03-01", "impressions": 10, "successes": 1, "revenue": None}
    items = [one | {"revenue_sq": None, "updated_at": "2026-03-02T00:00:00Z"}] * 1000
    endless = {"items": items, "next_cursor": "more", "totals": None}
    page.route(re.compile(r"/metrics/homepage_test\?"), lambda route: route.fulfill(json=endless))
    page.goto(f"{site}/#/experiments/homepage_test/data?days=all")
    expect(page.locator(".notice.warn")).to_contain_text("Only the first 50,000 daily totals")
    table = page.get_by_role("table", name=re.compile("The newest 1,000 of 50,000 stored daily totals"))
    expect(table.locator("tbody tr")).to_have_count(1000)
