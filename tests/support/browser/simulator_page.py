"""What the tests of the simulator's pages share: running a scenario, and reading what is shown."""

import re

from playwright.sync_api import Page, expect

from tests.support.browser import http


def link_to_run(site: str, scenario: str, page: str, query: str) -> str:
    """Run a small simulation over HTTP; return the link that the page makes of it."""
    request = {name: int(value) for name, value in (part.split("=") for part in query.split("&"))}
    with http.Client(base_url=site) as client:
        run = client.post(f"/simulations/{scenario}", json=request).raise_for_status().json()
        while run["state"] in {"queued", "running"}:
            run = client.get(f"/simulations/{run['id']}").raise_for_status().json()
    assert run["state"] == "done"
    return f"{site}/#/{page}?{query}&run={run['id']}"


def press_run(page: Page, button: str = "Run") -> None:
    """Submit the form of parameters."""
    page.get_by_role("region").locator("form").get_by_role("button", name=button, exact=True).click()


def run_of(page: Page) -> dict:
    """Return the run that the address names, as the API has it."""
    page.wait_for_url(re.compile(r"[?&]run="))
    site, _, rest = page.url.partition("/#/")
    found = re.search(r"run=(\w+)", rest)
    assert found
    return http.get(f"{site}/simulations/{found[1]}").raise_for_status().json()


def draw_every_chart(page: Page) -> int:
    """Scroll to every chart until it is drawn; return how many there are."""
    charts = page.locator("figure.chart .canvas")
    for place in range(charts.count()):
        charts.nth(place).scroll_into_view_if_needed()
        expect(charts.nth(place)).to_have_attribute("data-drawn", "yes")
    return charts.count()


def open_data_table(page: Page, chart: str) -> None:
    """Open the data table of a chart."""
    page.locator("figure.chart", has_text=chart).get_by_text("Data table", exact=True).click()
