"""The drag race: followed while it runs, cancelled, shown, and downloaded as a log."""

import csv
import re

import pytest
from playwright.sync_api import Page, Route, expect

from app.storage import migrate
from tests.support.browser import http
from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.service import served
from tests.support.browser.simulator_page import (
    draw_every_chart,
    link_to_run,
    open_data_table,
    press_run,
    run_of,
)
from tests.support.browser.tables import cells, number
from tests.support.databases import fresh_database

SMALL = "customers=1500&days=60&quota=20&replications=2"
LARGE = "customers=50000&replications=200"
LEADERS = "Leaderboard, the most added lifetime value first"


@pytest.fixture(scope="module")
def race(site: str) -> str:
    """The link to a small race."""
    return link_to_run(site, "clv", "drag-race", SMALL)


@pytest.fixture
def raced(page: Page, race: str) -> Page:
    """The page of a small race, opened by its link."""
    page.goto(race)
    expect(page.locator(".headline")).to_be_visible()
    return page


def test_the_leaderboard_shows_the_numbers_of_the_api(raced: Page) -> None:
    run = run_of(raced)
    rows = {name.partition(" ")[2]: row for name, row in cells(raced, LEADERS).items()}
    ranked = sorted(run["policies"], key=lambda one: -one["delta_clv"]["mean"])
    assert list(rows) == [one["policy"]["kind"].replace("_", " ").capitalize() for one in ranked]
    for policy, row in zip(ranked, rows.values(), strict=True):
        expected = [
            policy[name]["mean"]
            for name in ("delta_clv", "ratio_to_random", "contacts", "conversions", "cost")
        ]
        shown = [number(row[i]) for i in (0, 2, 3, 4, 5)]
        assert shown == pytest.approx(expected, rel=6e-3, abs=0.6)
        assert [number(end) for end in row[1].split(" to ")] == pytest.approx(
            policy["delta_clv"]["interval_95"], abs=0.6
        )


def test_the_products_are_those_of_the_api(raced: Page) -> None:
    run, rows = run_of(raced), cells(raced, "Products")
    for product in run["products"]:
        assert number(rows[product["name"]][0]) == product["price"]
        assert number(rows[product["name"]][4]) == product["customers"]


def test_every_chart_is_drawn_with_its_table_and_the_page_is_accessible(raced: Page) -> None:
    assert draw_every_chart(raced) == 7
    raced.get_by_label("Actions chosen by", exact=True).select_option("Random crayfish")
    open_data_table(raced, "Actions chosen by Random crayfish")
    run = run_of(raced)
    rows = cells(raced, "Actions chosen by Random crayfish")
    contacts = run["policies"][0]["contacts"]["mean"]
    assert sum(number(row[0]) for row in rows.values()) == pytest.approx(contacts, abs=len(rows) / 2)
    assert accessibility_problems(raced) == {}


def test_a_log_can_be_downloaded(raced: Page) -> None:
    run = run_of(raced)
    with raced.expect_download() as download:
        raced.get_by_role("button", name="Download the log of Bayesian groundhog").click()
    assert download.value.suggested_filename == "drag-race-bayesian_groundhog-log.csv"
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60 * 20
    assert all(0 < float(row["propensity"]) <= 1 for row in rows)
    with raced.expect_download() as download:
        raced.get_by_role("button", name="Download the leaderboard as CSV").click()
    with open(download.value.path(), newline="") as file:
        board = list(csv.DictReader(file))
    assert [row["policy"] for row in board] == [one["policy"]["kind"] for one in run["policies"]]


def test_a_race_is_followed_while_it_runs_and_cancelled(page: Page, site: str) -> None:
    page.goto(f"{site}/#/drag-race?{LARGE}")
    progress = page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("Running")
    race = page.locator("figure.chart").filter(has_text="The race so far")
    open_data_table(page, "The race so far")
    expect(race.get_by_role("table")).to_contain_text("€")
    progress.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("The run was cancelled.")
    assert run_of(page)["state"] == "cancelled"
    expect(page.get_by_role("button", name="Run it again")).to_be_visible()


def test_a_lost_connection_is_reported_and_the_race_is_followed_again(page: Page, site: str) -> None:
    requests = []

    def fail_twice(route: Route) -> None:
        requests.append(route.request.url)
        route.abort() if len(requests) <= 2 else route.continue_()

    page.route("**/events", fail_twice)
    page.goto(f"{site}/#/drag-race?{SMALL}&seed=2")
    expect(page.locator("#connection")).to_contain_text("cannot be reached; trying again")
    expect(page.locator(".headline")).to_be_visible()
    expect(page.locator("#connection")).to_be_hidden()
    assert len(requests) == 3


def test_comments_of_the_event_stream_are_ignored(page: Page, site: str) -> None:
    """The service sends them so that an idle connection is not closed."""
    streams = []

    def start_with_a_comment(route: Route) -> None:
        streams.append(route.request.url)
        body = ': ping\n\nevent: running\ndata: {"done": 1, "total": 4}\n\n: ping\n\n'
        first = len(streams) == 1
        route.fulfill(content_type="text/event-stream", body=body) if first else route.continue_()

    page.route("**/events", start_with_a_comment)
    page.goto(f"{site}/#/drag-race?{SMALL}&seed=3")
    expect(page.locator(".headline")).to_be_visible()
    assert len(streams) == 2


def test_a_race_fails_visibly_when_its_service_restarts_and_can_be_run_again(
    page: Page, server_url: str
) -> None:
    quick_stop = {"GROUNDHOG_SHUTDOWN_SECONDS": "1"}
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        with served(url, **quick_stop) as address:
            page.goto(f"{address}/#/drag-race?{LARGE}")
            expect(page.get_by_role("region", name="Progress")).to_contain_text("Running:")
        expect(page.locator("#connection")).to_contain_text("cannot be reached; trying again")
        with served(url, int(address.rpartition(":")[2]), **quick_stop):
            expect(page.get_by_role("alert")).to_contain_text("The run failed: the service stopped")
            expect(page.locator("#connection")).to_be_hidden()
            page.get_by_label("Customers").fill("1500")
            page.get_by_label("Replications").fill("2")
            page.get_by_label("Days", exact=True).fill("60")
            page.get_by_role("button", name="Run it again").click()
            expect(page.locator(".headline")).to_be_visible()


def test_every_parameter_of_the_request_has_a_control(page: Page, site: str) -> None:
    page.goto(f"{site}/#/drag-race")
    expect(page.get_by_text("No run yet")).to_be_visible()
    page.get_by_text("All other parameters").click()
    for fieldset in ("Products", "Channels"):
        page.get_by_role("group", name=fieldset).get_by_role("button", name="Start from the preset").click()
    names = page.locator("[data-field]").evaluate_all(
        "all => all.map(one => one.dataset.field.split('.')[0])"
    )
    described = http.get(f"{site}/openapi.json").json()["components"]["schemas"]["ClvRequest"]
    assert set(names) == set(described["properties"])


def test_priors_and_the_catalogue_reach_the_race(page: Page, site: str) -> None:
    page.goto(f"{site}/#/drag-race?{SMALL}")
    expect(page.locator(".headline")).to_be_visible()
    groundhog = page.get_by_role("group", name="Policy 3")
    groundhog.get_by_label("Prior successes").fill("2")
    groundhog.get_by_label("Prior trials without success").fill("50")
    groundhog.get_by_label("Abstain").check()
    page.get_by_text("All other parameters").click()
    channels = page.get_by_role("group", name="Channels")
    channels.get_by_role("button", name="Start from the preset").click()
    channels.get_by_label("Cost").first.fill("5")
    page.get_by_label("Decay").fill("0.5")
    press_run(page)
    page.wait_for_url(re.compile(r"decay=0\.5.*run="))
    expect(page.locator(".outdated")).to_be_hidden()
    request = run_of(page)["request"]
    assert request["policies"][2]["prior"] == [2, 50]
    assert request["policies"][2]["abstain"] is True
    assert [channel["cost"] for channel in request["channels"]] == [5, 0]
    assert request["decay"] == 0.5


def test_invalid_values_are_reported_at_their_fields(page: Page, site: str) -> None:
    page.goto(f"{site}/#/drag-race")
    page.get_by_label("Customers").fill("0")
    page.get_by_text("All other parameters").click()
    page.get_by_label("Churn").fill("1.5")
    press_run(page)
    for label in ("Customers", "Churn"):
        expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Customers")).to_be_focused()
