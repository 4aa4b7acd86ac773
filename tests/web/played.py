"""What the tests of the simulator's pages share: playing, and reading what is shown."""

import re

import httpx2
from playwright.sync_api import Page, expect

from tests.web.accessibility import contrast_faults, label_faults


def played_link(site: str, scenario: str, page: str, query: str) -> str:
    """Play a small run over HTTP; give the link that the page makes of it."""
    asked = {name: int(value) for name, value in (part.split("=") for part in query.split("&"))}
    with httpx2.Client(base_url=site, timeout=300) as client:
        run = client.post(f"/simulations/{scenario}", json=asked).raise_for_status().json()
        while run["state"] in {"queued", "running"}:
            run = client.get(f"/simulations/{run['id']}").raise_for_status().json()
    assert run["state"] == "done"
    return f"{site}/#/{page}?{query}&run={run['id']}"


def press_play(page: Page, button: str = "Play") -> None:
    """Send the form of parameters."""
    page.get_by_role("region").locator("form").get_by_role("button", name=button, exact=True).click()


def run_of(page: Page) -> dict:
    """What the API says of the run that the address names."""
    page.wait_for_url(re.compile(r"[?&]run="))
    site, _, rest = page.url.partition("/#/")
    number = re.search(r"run=(\w+)", rest)
    assert number
    return httpx2.get(f"{site}/simulations/{number[1]}").raise_for_status().json()


def cells(page: Page, table: str) -> dict[str, list[str]]:
    """The rows of a table by the words that name them."""
    rows = page.get_by_role("table", name=table).locator("tbody tr")
    expect(rows.first).to_be_visible()
    texts = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))")
    return {row[0]: row[1:] for row in texts}


def number(text: str) -> float:
    """The first figure of a text."""
    found = re.search(r"[-+]?[\d,]*\.?\d+", text.replace("€", ""))
    assert found, text
    return float(found[0].replace(",", ""))


def draw_every_chart(page: Page) -> int:
    """Look at every chart until it is drawn; return how many there are."""
    charts = page.locator("figure.chart .canvas")
    for place in range(charts.count()):
        charts.nth(place).scroll_into_view_if_needed()
        expect(charts.nth(place)).to_have_attribute("data-drawn", "yes")
    return charts.count()


def open_figures(page: Page, chart: str) -> None:
    """Open the table behind a chart."""
    page.locator("figure.chart", has_text=chart).get_by_text("Figures", exact=True).click()


def faults(page: Page) -> dict[str, object]:
    """What somebody would stumble over who hears the page, sees little, has it dark or on a small screen."""
    found: dict[str, object] = {"names and headers": label_faults(page)}
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found[f"contrast, {scheme}"] = contrast_faults(page)
    page.set_viewport_size({"width": 360, "height": 740})
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    found["wider than 360 px"] = page.evaluate(wide)
    return {what: some for what, some in found.items() if some}
