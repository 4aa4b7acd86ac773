"""The drag race: followed while it is run, cancelled, told, and taken home as a log."""

import csv
import re

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from app.storage import migrate
from tests.support.databases import fresh_database
from tests.web.played import (
    cells,
    draw_every_chart,
    faults,
    number,
    open_figures,
    played_link,
    press_play,
    run_of,
)
from tests.web.service import served

SMALL = "customers=1500&days=60&quota=20&replications=2"
LARGE = "customers=50000&replications=200"
LEADERS = "Leader board, the most added lifetime value first"


@pytest.fixture(scope="module")
def race(site: str) -> str:
    """The link to a small race that was run."""
    return played_link(site, "clv", "drag-race", SMALL)


@pytest.fixture
def raced(page: Page, race: str) -> Page:
    """A small race, shown by its link."""
    page.goto(race)
    expect(page.locator(".headline")).to_be_visible()
    return page


def test_the_leader_board_shows_the_figures_of_the_api(raced: Page) -> None:
    run = run_of(raced)
    rows = {name.partition(" ")[2]: row for name, row in cells(raced, LEADERS).items()}
    ranked = sorted(run["policies"], key=lambda played: -played["delta_clv"]["mean"])
    assert list(rows) == [one["policy"]["kind"].replace("_", " ").capitalize() for one in ranked]
    for played, row in zip(ranked, rows.values(), strict=True):
        figures = [
            played[name]["mean"]
            for name in ("delta_clv", "ratio_to_random", "contacts", "conversions", "cost")
        ]
        shown = [number(row[i]) for i in (0, 2, 3, 4, 5)]
        assert shown == pytest.approx(figures, rel=6e-3, abs=0.6)
        assert [number(end) for end in row[1].split(" to ")] == pytest.approx(
            played["delta_clv"]["interval_95"], abs=0.6
        )


def test_the_world_is_told_by_its_products(raced: Page) -> None:
    run, rows = run_of(raced), cells(raced, "Products")
    for product in run["products"]:
        assert number(rows[product["name"]][0]) == product["price"]
        assert number(rows[product["name"]][4]) == product["customers"]


def test_every_chart_is_drawn_with_its_table_and_everybody_can_use_the_page(raced: Page) -> None:
    assert draw_every_chart(raced) == 7
    raced.get_by_label("What was chosen by").select_option("Random crayfish")
    open_figures(raced, "Actions chosen by Random crayfish")
    run = run_of(raced)
    rows = cells(raced, "Actions chosen by Random crayfish")
    contacts = run["policies"][0]["contacts"]["mean"]
    assert sum(number(row[0]) for row in rows.values()) == pytest.approx(contacts, abs=len(rows) / 2)
    assert faults(raced) == {}


def test_a_log_can_be_taken_home(raced: Page) -> None:
    run = run_of(raced)
    with raced.expect_download() as download:
        raced.get_by_role("button", name="Download the log of Bayesian groundhog").click()
    assert download.value.suggested_filename == "drag-race-bayesian_groundhog-log.csv"
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60 * 20
    assert all(0 < float(row["propensity"]) <= 1 for row in rows)
    with raced.expect_download() as download:
        raced.get_by_role("button", name="Download the board as CSV").click()
    with open(download.value.path(), newline="") as file:
        board = list(csv.DictReader(file))
    assert [row["policy"] for row in board] == [one["policy"]["kind"] for one in run["policies"]]


def test_a_race_is_watched_as_it_stands_and_cancelled(page: Page, site: str) -> None:
    page.goto(f"{site}/#/drag-race?{LARGE}")
    progress = page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("Playing")
    race = page.locator("figure.chart").filter(has_text="The race so far")
    open_figures(page, "The race so far")
    expect(race.get_by_role("table")).to_contain_text("€")
    progress.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("It was cancelled.")
    assert run_of(page)["state"] == "cancelled"
    expect(page.get_by_role("button", name="Play it again")).to_be_visible()


def test_a_lost_connection_is_said_and_the_race_is_followed_again(page: Page, site: str) -> None:
    asked = []

    def lost_twice(route: Route) -> None:
        asked.append(route.request.url)
        route.abort() if len(asked) <= 2 else route.continue_()

    page.route("**/events", lost_twice)
    page.goto(f"{site}/#/drag-race?{SMALL}&seed=2")
    expect(page.locator("#connection")).to_contain_text("cannot be reached; trying again")
    expect(page.locator(".headline")).to_be_visible()
    expect(page.locator("#connection")).to_be_hidden()
    assert len(asked) == 3


def test_a_race_whose_service_is_started_anew_is_said_to_be_lost_and_played_again(
    page: Page, server_url: str
) -> None:
    hasty = {"GROUNDHOG_SHUTDOWN_SECONDS": "1"}
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        with served(url, **hasty) as address:
            page.goto(f"{address}/#/drag-race?{LARGE}")
            expect(page.get_by_role("region", name="Progress")).to_contain_text("Playing:")
        expect(page.locator("#connection")).to_contain_text("cannot be reached; trying again")
        with served(url, int(address.rpartition(":")[2]), **hasty):
            expect(page.get_by_role("alert")).to_contain_text("It failed: the service stopped")
            expect(page.locator("#connection")).to_be_hidden()
            page.get_by_label("Customers").fill("1500")
            page.get_by_label("Replications").fill("2")
            page.get_by_label("Days", exact=True).fill("60")
            page.get_by_role("button", name="Play it again").click()
            expect(page.locator(".headline")).to_be_visible()


def test_every_parameter_of_the_request_has_a_control(page: Page, site: str) -> None:
    page.goto(f"{site}/#/drag-race")
    expect(page.get_by_text("Nothing was raced yet")).to_be_visible()
    page.get_by_text("Every other parameter").click()
    for fieldset in ("Products", "Channels"):
        page.get_by_role("group", name=fieldset).get_by_role("button", name="Begin with those").click()
    names = page.locator("[data-field]").evaluate_all(
        "all => all.map(one => one.dataset.field.split('.')[0])"
    )
    described = httpx2.get(f"{site}/openapi.json").json()["components"]["schemas"]["ClvRequest"]
    assert set(names) == set(described["properties"])


def test_priors_and_the_catalogue_reach_the_race(page: Page, site: str) -> None:
    page.goto(f"{site}/#/drag-race?{SMALL}")
    expect(page.locator(".headline")).to_be_visible()
    groundhog = page.get_by_role("group", name="Policy 3")
    groundhog.get_by_label("Prior successes").fill("2")
    groundhog.get_by_label("Prior trials without success").fill("50")
    groundhog.get_by_label("Abstain").check()
    page.get_by_text("Every other parameter").click()
    channels = page.get_by_role("group", name="Channels")
    channels.get_by_role("button", name="Begin with those of the preset").click()
    channels.get_by_label("Cost").first.fill("5")
    page.get_by_label("Decay").fill("0.5")
    press_play(page)
    page.wait_for_url(re.compile(r"decay=0\.5.*run="))
    expect(page.locator(".old")).to_be_hidden()
    asked = run_of(page)["request"]
    assert asked["policies"][2]["prior"] == [2, 50]
    assert asked["policies"][2]["abstain"] is True
    assert [channel["cost"] for channel in asked["channels"]] == [5, 0]
    assert asked["decay"] == 0.5


def test_nonsense_is_refused_beside_the_fields_by_the_api(page: Page, site: str) -> None:
    page.goto(f"{site}/#/drag-race")
    page.get_by_label("Customers").fill("0")
    page.get_by_text("Every other parameter").click()
    page.get_by_label("Churn").fill("1.5")
    press_play(page)
    for label in ("Customers", "Churn"):
        expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Customers")).to_be_focused()
