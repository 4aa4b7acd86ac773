"""A chart is drawn into space of its own height: nothing below it moves."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser.simulator_page import draw_every_chart, link_to_run

HOMEPAGE = "#/experiments/homepage_test"
POSITIONS = """() => [...document.querySelectorAll("figure.chart, footer")].map((element) => {
  const { top, height } = element.getBoundingClientRect();
  return [top + scrollY, height];
})"""
DRAWN_HEIGHTS = """() => [...document.querySelectorAll(".canvas")].map((canvas) =>
  [canvas.clientHeight, canvas.querySelector("canvas").clientHeight, canvas.scrollHeight])"""


@pytest.fixture(scope="module")
def pages(site: str) -> dict[str, str]:
    return {
        "today": f"{site}/{HOMEPAGE}",
        "history": f"{site}/{HOMEPAGE}/history",
        "time machine": link_to_run(site, "email", "time-machine", "emails=600&replications=3&days=3"),
        "drag race": link_to_run(site, "clv", "drag-race", "customers=1500&days=60&quota=20&replications=2"),
    }


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["today", "history", "time machine", "drag race"])
def test_drawing_a_chart_moves_nothing(page: Page, pages: dict[str, str], name: str, width: int) -> None:
    held: list[Route] = []
    page.set_viewport_size({"width": width, "height": 900})
    page.route("**/static/vega-*.js", lambda route: held.append(route))
    page.goto(pages[name], wait_until="commit")  # the page loads only with its charts' library
    expect(page.locator("figure.chart").first).to_be_attached()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    assert page.locator("canvas").count() == 0
    before = page.evaluate(POSITIONS)
    for route in held:
        route.continue_()
    page.unroute_all()
    draw_every_chart(page)
    assert page.evaluate(POSITIONS) == before
    for reserved, drawn, content in page.evaluate(DRAWN_HEIGHTS):
        assert drawn == reserved
        assert content <= reserved
