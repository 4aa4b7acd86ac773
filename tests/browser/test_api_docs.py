"""Swagger UI and ReDoc render the whole API, in both colour schemes and without errors."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import http
from tests.support.browser.accessibility import overflow

SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture
def summaries(site: str) -> set[str]:
    """The summaries of all operations."""
    paths = http.get(f"{site}/openapi.json").json()["paths"].values()
    return {operation["summary"] for path in paths for operation in path.values()}


@SCHEMES
def test_swagger_ui_lists_every_operation_and_opens_one(
    page: Page, site: str, summaries: set[str], scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{site}/docs")
    texts = page.locator(".opblock-summary-description")
    expect(texts.first).to_be_visible()
    assert set(texts.all_inner_texts()) == summaries
    page.locator(".opblock-summary-control").filter(has_text="Evaluate Flags").click()
    expect(page.locator(".opblock.is-open .responses-table").first).to_contain_text("PARSE_ERROR")
    expect(page.locator(".errors-wrapper")).to_have_count(0)
    background = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    assert background == {"dark": "rgb(28, 32, 34)", "light": "rgba(0, 0, 0, 0)"}[scheme]
    page.set_viewport_size({"width": 390, "height": 800})
    assert overflow(page) == 0


@SCHEMES
def test_redoc_shows_every_operation(page: Page, site: str, summaries: set[str], scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{site}/redoc")
    expect(page.locator("h2", has_text="Evaluate Flags")).to_be_attached()
    headings = {text.strip() for text in page.locator("h2").all_inner_texts()}
    assert summaries <= headings
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 800})
    assert overflow(page) == 0
