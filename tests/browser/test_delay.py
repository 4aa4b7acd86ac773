"""Conversions that come later: the curve, paler days, what has come of each variant's, and the setting."""

import datetime as dt
import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import http
from tests.support.browser.accessibility import accessibility_problems

TODAY = dt.datetime.now(dt.UTC).date()
DAYS, AGES, TRAFFIC = 40, 14, 2_000
RATES = {"control": 0.12, "bold": 0.15, "plain": 0.13}


def come(age: int, mean: float = 3.0) -> float:
    """Return the fraction that a geometric delay of this mean has brought by an age."""
    return 1 - (mean / (1 + mean)) ** (age + 1)


def reports(name: str, means: dict[str, float]) -> list[dict[str, object]]:
    """Return every report of the days up to yesterday, each day reported again for two weeks."""
    return [
        {
            "experiment_id": name,
            "variant_id": variant,
            "date": str(TODAY - dt.timedelta(days=back)),
            "as_of": str(TODAY - dt.timedelta(days=back - age)),
            "impressions": TRAFFIC,
            "successes": round(TRAFFIC * RATES[variant] * come(age, mean)),
        }
        for variant, mean in means.items()
        for back in range(1, DAYS + 1)
        for age in range(min(back, AGES))
    ]


def experiment(site: str, name: str, means: dict[str, float]) -> str:
    """Create an experiment with a history of reports, once; return the address of its page."""
    if http.get(f"{site}/experiments/{name}").status_code == 404:
        variants = [{"variant_id": variant} for variant in means]
        made = {"experiment_id": name, "name": name.capitalize(), "variants": variants}
        http.post(f"{site}/experiments", json=made).raise_for_status()
        http.post(f"{site}/metrics/", json=reports(name, means)).raise_for_status()
        http.get(f"{site}/allocations/{name}").raise_for_status()
    return f"{site}/#/experiments/{name}"


@pytest.fixture
def delayed(site: str) -> str:
    """The address of an experiment whose conversions come 3 days later on average."""
    return experiment(site, "delayed", dict.fromkeys(RATES, 3.0))


@pytest.fixture
def differing(site: str) -> str:
    """The address of an experiment of which one variant's conversions come later."""
    return experiment(site, "differing", {"control": 2.0, "bold": 6.0})


def table_of(page: Page, title: str) -> list[list[str]]:
    """Return the cells of a chart's data table, its header first."""
    figure = page.locator("figure.chart").filter(has=page.get_by_role("heading", name=title, exact=True))
    figure.locator("summary").click()
    return [row.locator("th, td").all_inner_texts() for row in figure.locator("tr").all()]


def test_the_curve_is_drawn_with_its_counts_as_a_table(page: Page, api, delayed: str) -> None:
    page.goto(f"{delayed}/history")
    report = api("/experiments/delayed/delay")
    picture = page.get_by_role("img", name=re.compile("^Delay of conversions"))
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_attribute("data-drawn", "yes")
    expect(picture).to_have_attribute("aria-label", re.compile("come on the day itself, all within 13 days"))
    head, first, second, *_ = table_of(page, "Delay of conversions")
    assert head[:2] == ["Days later", "Have come"]
    assert head[-3:] == ["control", "bold", "plain"]
    assert first[1] == f"{100 * report['estimate']['curve'][0]:.1f}%"
    assert second[3] == f"{report['estimate']['came'][1]:,.1f}".removesuffix(".0")


def test_days_whose_conversions_are_still_coming_are_marked(page: Page, delayed: str) -> None:
    page.goto(f"{delayed}/history")
    picture = page.get_by_role("img", name=re.compile("^Rate of each day"))
    pale = next(age for age in itertools.count() if come(age) / come(AGES - 1) >= 0.95)
    expect(picture).to_have_attribute("aria-label", re.compile(rf" {pale} days of which fewer than 95"))
    legend = page.get_by_role("list", name="Legend").filter(has_text="bold").filter(has_text="fewer than")
    expect(legend).to_contain_text("dashed: fewer than 95% of the conversions have come")
    head, newest, *_, oldest = table_of(page, "Rate of each day")
    assert head[-1] == "Conversions come"
    assert newest[-1] == table_of(page, "Delay of conversions")[1][1]
    assert oldest[-1] == "100%"


def test_without_a_delay_no_day_is_marked_and_no_curve_drawn(page: Page, site: str) -> None:
    page.goto(f"{site}/#/experiments/homepage_test/history")
    expect(page.get_by_role("img", name=re.compile("^Rate of each day"))).to_be_attached()
    expect(page.get_by_text("fewer than 95%")).to_have_count(0)
    expect(page.get_by_role("heading", name="Delay of conversions")).to_have_count(0)


def test_the_table_of_shares_says_what_has_come(page: Page, api, delayed: str) -> None:
    page.goto(delayed)
    region = page.get_by_role("region", name=re.compile("^Variants on"))
    expect(region).to_be_visible()
    titles = region.locator("thead th").all_inner_texts()
    assert titles[-3:] == ["Matured", "Impressions", "Successes"]
    matured = api("/allocations/delayed")["variants"][0]["matured"]
    expect(region.locator("tbody tr").first).to_contain_text(f"{100 * matured:.1f}%")
    expect(page.locator(".tile", has_text="Matured")).to_be_visible()
    expect(page.get_by_role("region", name="Why these shares")).to_contain_text(
        "of the conversions have come"
    )


def test_delays_that_differ_have_a_badge_a_sentence_and_a_curve_each(page: Page, differing: str) -> None:
    page.goto(differing)
    expect(page.locator(".badge", has_text="Delays differ")).to_be_visible()
    expect(page.get_by_role("region", name="Why these shares")).to_contain_text(
        "each variant's own delay curve"
    )
    page.get_by_role("link", name="Over time").click()
    picture = page.get_by_role("img", name=re.compile("^Delay of conversions"))
    expect(picture).to_have_attribute("aria-label", re.compile("each one's own curve is used"))
    _, first, *_ = table_of(page, "Delay of conversions")
    control, bold = (float(cell.removesuffix("%")) for cell in first[-2:])
    assert control > bold


@pytest.mark.parametrize("part", ["", "/history", "/data", "/settings"])
def test_its_pages_are_accessible_in_both_schemes_and_on_a_small_screen(
    page: Page, differing: str, part: str
) -> None:
    page.goto(f"{differing}{part}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    assert accessibility_problems(page) == {}


def test_a_delay_is_set_changed_and_left_to_the_data_again(page: Page, site: str) -> None:
    name = "delay_settings"
    made = {"experiment_id": name, "variants": [{"variant_id": "a"}, {"variant_id": "b"}]}
    http.post(f"{site}/experiments", json=made).raise_for_status()

    def saved(kind: str, **fields: str) -> dict:
        page.goto("about:blank")
        page.goto(f"{site}/#/experiments/{name}/settings")
        page.get_by_text("More settings").click()
        page.get_by_label("Conversions that come later").select_option(kind)
        for label, text in fields.items():
            page.get_by_label(label.replace("_", " ")).fill(text)
        with page.expect_request(lambda request: request.method == "PATCH") as sent:
            page.get_by_role("button", name="Save the settings").click()
        expect(page.locator("#status")).to_have_text("The settings were saved.")
        return sent.value.post_data_json

    assert saved("curve", Have_come="40, 80; 100") == {"delay": {"kind": "curve", "fractions": [0.4, 0.8, 1]}}
    assert http.get(f"{site}/experiments/{name}").json()["delay"]["fractions"] == [0.4, 0.8, 1]
    assert saved("auto", Conversions_come_within="14") == {
        "delay": {"kind": "auto", "fractions": None, "max_days": 14}
    }
    assert http.get(f"{site}/experiments/{name}").json()["delay"]["max_days"] == 14
    assert saved("none") == {"delay": {"kind": "none", "max_days": None}}


def test_a_curve_that_falls_is_reported_at_its_field(page: Page, site: str, delayed: str) -> None:
    page.goto(f"{delayed}/settings")
    page.get_by_text("More settings").click()
    page.get_by_label("Conversions that come later").select_option("curve")
    fractions = page.get_by_label("Have come, percent")
    fractions.fill("80, 40, 100")
    page.get_by_role("button", name="Save the settings").click()
    expect(fractions).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".error:visible")).to_contain_text("fraction 1 falls from 0.8 to 0.4")


def test_an_experiment_is_created_with_a_curve(page: Page, site: str) -> None:
    page.goto(f"{site}/#/new")
    ids = page.get_by_label("Id", exact=True)
    ids.first.fill("delay_created")
    ids.last.fill("bold")
    page.get_by_text("More settings").click()
    page.get_by_label("Conversions that come later").select_option("curve")
    page.get_by_label("Have come, percent").fill("50, 100")
    page.get_by_role("button", name="Create the experiment").click()
    expect(page.locator("#status")).to_have_text("delay_created was created.")
    delay = http.get(f"{site}/experiments/delay_created").json()["delay"]
    assert (delay["kind"], delay["fractions"]) == ("curve", [0.5, 1])


def test_the_hold_out_panel_says_which_conversions_are_still_coming(page: Page, site: str, api) -> None:
    name, curve = "delay_holdout", {"kind": "curve", "fractions": [0.25, 1]}
    made = {"experiment_id": name, "variants": [{"variant_id": "a"}, {"variant_id": "b"}], "delay": curve}
    sent = made | {"source": "tracked", "holdout_percent": 50}
    http.post(f"{site}/experiments", json=sent).raise_for_status()
    units = [{"experiment_id": name, "unit_id": f"u{place}"} for place in range(100)]
    http.post(f"{site}/assignments", json=units).raise_for_status()
    seen = [{**unit, "event_id": f"e{i}", "type": "exposure"} for i, unit in enumerate(units)]
    http.post(f"{site}/events", json=seen).raise_for_status()
    immature = api(f"/experiments/{name}/estimates")["immature"]
    page.goto(f"{site}/#/experiments/{name}")
    panel = page.get_by_role("region", name="Against the hold-out", exact=True)
    today = f"{TODAY:%b} {TODAY.day}, {TODAY.year}"
    expect(panel).to_contain_text(f"{immature['units']} units first exposed since {today} are still coming")
    expect(panel).to_contain_text("0% of all conversions have come")
    http.patch(f"{site}/experiments/{name}", json={"delay": "none"}).raise_for_status()
    page.reload()
    expect(panel).to_contain_text("Units in the hold-out")
    expect(panel).not_to_contain_text("still coming")
