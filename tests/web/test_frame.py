"""What holds on every page: no complaint, nobody else asked, readable, usable without a mouse, small."""

import gzip
import re

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.web.accessibility import contrast_faults, label_faults

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
    """Wait until the page and its parts are there."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)


@every_page
def test_everybody_can_use_a_page(page: Page, site: str, address: str) -> None:
    """Whoever hears it, sees little, has it dark or on a small screen; one visit, because visits take time."""
    page.goto(f"{site}/{address}")
    settle(page)
    faults = {"names and headers": label_faults(page)}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        faults[f"contrast, {scheme}"] = contrast_faults(page)
    page.set_viewport_size({"width": 360, "height": 740})
    faults["wider than 360 px"] = overflow(page)
    assert {what: found for what, found in faults.items() if found} == {}


def overflow(page: Page) -> int:
    return page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_the_first_load_is_small_and_asks_nobody_else(page: Page, site: str) -> None:
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(packed(answer))}))
    page.goto(f"{site}/{EXPERIMENT}")
    expect(page.locator("figure.chart .canvas").first).to_have_attribute("data-drawn", "yes")
    page.wait_for_load_state("networkidle")
    assert all(url.startswith(site) for url in sizes)
    assert any("/static/vega-" in url for url in sizes)
    assert sum(sizes.values()) <= 350_000


@pytest.mark.parametrize("address", ["#/", EXPERIMENT])
def test_the_first_page_asks_at_once_and_nothing_twice(page: Page, site: str, address: str) -> None:
    """Its answers are asked for while its modules are on their way; later visits ask anew."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site)))
    page.goto(f"{site}/{address}")
    settle(page)
    api = [url for url in asked if not url.startswith("/static/") and "#" not in url]
    assert len(api) == len(set(api))
    begins = page.evaluate(
        """async address => {
          const start = [...document.scripts].find(one => one.src.endsWith("early.js")).src;
          const {PAGES} = await import(start.replace("early.js", "pages.js"));
          const {matching} = await import(start.replace("early.js", "addresses.js"));
          const {page, params} = matching(PAGES, address.slice(2));
          return page.begins(params);
        }""",
        address,
    )
    assert begins
    assert set(begins) <= set(api)
    page.get_by_role("link", name="Upload").click()
    page.go_back()
    settle(page)
    assert all(asked.count(url) == 2 for url in begins)


def packed(answer) -> bytes:
    """What an answer takes on the wire where it is compressed, and as it is where it is not."""
    body = answer.body()
    return gzip.compress(body, 9, mtime=0) if answer.headers.get("content-encoding") == "gzip" else body


def test_what_is_named_after_its_content_is_kept_for_ever(site: str) -> None:
    with httpx2.Client(base_url=site) as client:
        names = re.findall(r'href="(/static/(?:dashboard|vega-)[^"]*)"', client.get("/").text)
        assert any("/static/vega-" in name for name in names)
        for name in names:
            answer = client.get(name)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["content-encoding"] == "gzip"
            plain = client.get(name, headers={"Accept-Encoding": "identity"})
            assert "content-encoding" not in plain.headers
            assert plain.content == answer.content
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


def test_a_lost_connection_is_said_and_resumes_by_itself(
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


def test_a_change_sent_while_the_connection_was_lost_is_carried_out_once(page: Page, site: str) -> None:
    keys = []

    def first_time_lost(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.abort() if len(keys) == 1 else route.continue_()

    page.route("**/metrics/bulk*", first_time_lost)
    page.goto(f"{site}/#/upload")
    page.get_by_label("CSV").fill(
        "experiment_id,variant_id,date,impressions,successes\nlost,a,2026-03-01,10,1\n"
    )
    page.get_by_role("button", name="Store these totals").click()
    expect(page.locator(".report")).to_have_text("1 line read: 1 new.")
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_an_experiment_that_is_not_there_is_said_with_a_way_on(page: Page, site: str) -> None:
    page.goto(f"{site}/#/experiments/nobody")
    expect(page.get_by_role("alert")).to_contain_text("There is no experiment 'nobody'")
    page.get_by_role("link", name="All experiments").click()
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()


def test_without_the_chart_library_the_figures_are_still_there(page: Page, site: str) -> None:
    page.route("**/static/vega-*.js", lambda route: route.fulfill(status=404, body=""))
    page.goto(f"{site}/{EXPERIMENT}")
    expect(page.locator("figure.chart .canvas").first).to_contain_text("No chart")
    page.locator("figure.chart summary").first.click()
    expect(page.locator("figure.chart table").first).to_be_visible()


def test_a_chart_is_drawn_anew_in_the_other_colours(page: Page, site: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{site}/{EXPERIMENT}")
    canvas = page.locator("figure.chart canvas").first
    expect(canvas).to_be_visible()
    image = canvas.evaluate("canvas => canvas.toDataURL()")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "before => document.querySelector('figure.chart canvas')?.toDataURL() !== before", arg=image
    )


def test_whoever_wants_no_motion_gets_none(page: Page, site: str) -> None:
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
