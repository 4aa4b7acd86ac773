"""What holds on every page: no errors, no requests to others, accessible, usable by keyboard, small."""

import gzip
import re

import pytest
from playwright.sync_api import BrowserContext, Page, Response, Route, expect

from tests.support.browser import http
from tests.support.browser.accessibility import accessibility_problems

EXPERIMENT = "#/experiments/homepage_test"
PAGES = [
    pytest.param(address, id=name)
    for name, address in {
        "experiments": "#/",
        "new": "#/new",
        "today": EXPERIMENT,
        "history": f"{EXPERIMENT}/history",
        "data": f"{EXPERIMENT}/data",
        "settings": f"{EXPERIMENT}/settings",
        "upload": "#/upload",
        "plan": "#/plan",
        "time machine": "#/time-machine",
        "drag race": "#/drag-race",
        "replay": "#/replay",
        "unknown": "#/nowhere",
    }.items()
]
every_page = pytest.mark.parametrize("address", PAGES)


def settle(page: Page) -> None:
    """Wait until the page and its parts are loaded."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)


@every_page
def test_a_page_is_accessible_in_both_schemes_and_on_a_small_screen(
    page: Page, site: str, address: str
) -> None:
    page.goto(f"{site}/{address}")
    settle(page)
    assert accessibility_problems(page) == {}


def test_the_first_load_is_at_most_350_kb(page: Page, site: str) -> None:
    sizes: dict[str, int] = {}
    page.on("response", lambda response: sizes.update({response.url: transferred(response)}))
    page.goto(f"{site}/{EXPERIMENT}")
    expect(page.locator("figure.chart .canvas").first).to_have_attribute("data-drawn", "yes")
    page.wait_for_load_state("networkidle")
    assert all(url.startswith(site) for url in sizes)
    assert any("/static/vega-" in url for url in sizes)
    assert sum(sizes.values()) <= 350_000


@pytest.mark.parametrize("address", ["#/", EXPERIMENT])
def test_the_first_page_requests_its_data_at_once_and_nothing_twice(
    page: Page, site: str, address: str
) -> None:
    """Its data are requested while its modules are loading; later visits request them again."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url.removeprefix(site)))
    page.goto(f"{site}/{address}")
    settle(page)
    api = [url for url in requested if not url.startswith("/static/") and "#" not in url]
    assert len(api) == len(set(api))
    prefetched = page.evaluate(
        """async address => {
          const script = [...document.scripts].find(one => one.src.endsWith("prefetch.js")).src;
          const {ROUTES} = await import(script.replace("prefetch.js", "routes.js"));
          const {matchRoute} = await import(script.replace("prefetch.js", "addresses.js"));
          const {route, params} = matchRoute(ROUTES, address.slice(2));
          return route.prefetch(params);
        }""",
        address,
    )
    assert prefetched
    assert set(prefetched) <= set(api)
    page.get_by_role("link", name="Upload").click()
    page.go_back()
    settle(page)
    assert all(requested.count(url) == 2 for url in prefetched)


def transferred(response: Response) -> int:
    """Return the bytes of a response's body as it was sent."""
    body = response.body()
    return len(
        gzip.compress(body, 9, mtime=0) if response.headers.get("content-encoding") == "gzip" else body
    )


def test_files_named_by_their_content_are_cached_permanently(site: str) -> None:
    with http.Client(base_url=site) as client:
        names = re.findall(r'href="(/static/(?:dashboard|vega-)[^"]*)"', client.get("/").text)
        assert any("/static/vega-" in name for name in names)
        for name in names:
            response = client.get(name)
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert response.headers["content-encoding"] == "gzip"
            plain = client.get(name, headers={"Accept-Encoding": "identity"})
            assert "content-encoding" not in plain.headers
            assert plain.content == response.content
        assert client.get("/static/dashboard/000000000000/main.js").status_code == 404
        assert client.get("/static/vega-000000000000.js").status_code == 404


def test_the_keyboard_reaches_the_content_first_and_then_everything(page: Page, site: str) -> None:
    page.goto(site)
    settle(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="New experiment")).to_be_focused()
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New experiment")).to_be_visible()
    expect(page.locator("#content")).to_be_focused()


def test_a_lost_connection_is_reported_and_restored_automatically(
    page: Page, context: BrowserContext, site: str
) -> None:
    page.goto(site)
    settle(page)
    context.set_offline(True)
    page.get_by_role("link", name="Homepage headline").click()
    expect(page.locator("#connection")).to_contain_text("cannot be reached; trying again")
    context.set_offline(False)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Homepage headline")
    expect(page.locator("#connection")).to_be_hidden()


def test_a_write_during_a_lost_connection_takes_effect_once(page: Page, site: str) -> None:
    keys = []

    def fail_once(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.abort() if len(keys) == 1 else route.continue_()

    page.route("**/metrics/bulk*", fail_once)
    page.goto(f"{site}/#/upload")
    page.get_by_label("CSV").fill(
        "experiment_id,variant_id,date,impressions,successes\nlost,a,2026-03-01,10,1\n"
    )
    page.get_by_role("button", name="Store these totals").click()
    expect(page.locator(".report")).to_have_text("1 line read: 1 new.")
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_missing_experiment_is_reported_with_a_link_to_all(page: Page, site: str) -> None:
    page.goto(f"{site}/#/experiments/nobody")
    expect(page.get_by_role("alert")).to_contain_text("There is no experiment 'nobody'")
    page.get_by_role("link", name="All experiments").click()
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()


def test_without_the_chart_library_the_data_tables_still_work(page: Page, site: str) -> None:
    page.route("**/static/vega-*.js", lambda route: route.fulfill(status=404, body=""))
    page.goto(f"{site}/{EXPERIMENT}")
    expect(page.locator("figure.chart .canvas").first).to_contain_text("No chart")
    page.locator("figure.chart summary").first.click()
    expect(page.locator("figure.chart table").first).to_be_visible()


def test_a_chart_is_redrawn_when_the_colour_scheme_changes(page: Page, site: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{site}/{EXPERIMENT}")
    canvas = page.locator("figure.chart canvas").first
    expect(canvas).to_be_visible()
    image = canvas.evaluate("canvas => canvas.toDataURL()")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "before => document.querySelector('figure.chart canvas')?.toDataURL() !== before", arg=image
    )


def test_nothing_moves_if_reduced_motion_is_preferred(page: Page, site: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(site)
    settle(page)
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(element => {
          const {transitionProperty, transitionDuration, animationName} = getComputedStyle(element);
          return animationName !== "none" || (transitionProperty !== "none" && parseFloat(transitionDuration) > 0);
        }).length"""
    )
    assert moving == 0
