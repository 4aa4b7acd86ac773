"""Screenshots of the dashboard for the README and the documentation: ``make screenshots``."""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from app.storage import migrate
from app.storage.embedded import EmbeddedPostgres
from tests.support import ROOT
from tests.support.browser import histories
from tests.support.browser.chromium import FLAGS, MISSING, chromium
from tests.support.browser.service import served
from tests.support.databases import fresh_database

FOLDER = ROOT / "docs" / "img"
WIDTHS = {360: 780, 1280: 1000}
"""The maximum heights: a screenshot shows the beginning of a long page."""

PAGES = {
    "experiments": "#/",
    "today": "#/experiments/homepage_test",
    "history": "#/experiments/homepage_test/history",
    "plan": "#/plan?rates=10%2C+12%2C+11&traffic=2000",
    "time-machine": "#/time-machine?days=10",
    "drag-race": "#/drag-race?customers=40000&days=200&replications=5",
    "replay": "#/replay",
}
RESULTS = {"plan": ".headline", "time-machine": ".improvement", "drag-race": ".headline", "replay": ".tiles"}
"""What appears on a page that runs something when it has finished."""
IDLE = """() => !document.querySelector("[aria-busy], [disabled]")
    && [...document.querySelectorAll(".canvas")].every(canvas => canvas.dataset.drawn)"""


def evaluate_a_log(page: Page) -> None:
    """Evaluate a log in which nine of ten decisions were for one arm."""
    rng = np.random.default_rng(1)
    rates, propensities = {"bold": 0.13, "question": 0.11, "numbers": 0.15}, [0.9, 0.08, 0.02]
    arms = rng.choice(list(rates), 600, p=propensities).tolist()
    chance = dict(zip(rates, propensities, strict=True))
    lines = [f"{arm},{chance[arm]},{int(rng.random() < rates[arm])}" for arm in arms]
    page.get_by_label("Log", exact=True).fill("\n".join(["arm,propensity,reward", *lines]))
    page.get_by_role("button", name="Evaluate").click()


def take_screenshots(browser: Browser, address: str, folder: Path) -> None:
    """Save every page at every width, light and dark."""
    for width, height in WIDTHS.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                locale="en-US",
                timezone_id="UTC",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.set_default_timeout(120_000)
            for name, place in PAGES.items():
                page.goto("about:blank")
                page.goto(f"{address}/{place}")
                page.get_by_role("heading", level=1).wait_for()
                page.set_viewport_size({"width": width, "height": 12_000})  # so that every chart is drawn
                if name == "replay":
                    evaluate_a_log(page)
                if name in RESULTS:
                    page.locator(RESULTS[name]).wait_for()
                page.wait_for_function(IDLE)
                whole = page.evaluate(
                    "() => Math.ceil(document.querySelector('footer').getBoundingClientRect().bottom)"
                )
                page.set_viewport_size({"width": width, "height": min(whole, height)})
                page.evaluate("() => document.querySelector('.run')?.scrollIntoView()")
                page.wait_for_timeout(300)
                page.screenshot(path=folder / f"dashboard-{name}-{width}-{scheme}.png")
            context.close()


def main() -> None:
    """Simulate the histories, serve them and take screenshots of the pages."""
    if chromium() is None:
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory(prefix="groundhog-screenshots-") as folder:
        os.chmod(folder, 0o711)
        home = EmbeddedPostgres(Path(folder) / "home", {"fsync": "off"})
        with home as server, fresh_database(server.url_for("postgres")) as url:
            migrate.upgrade(url)
            histories.simulate(url, histories.HISTORIES, [histories.NEW])
            with served(url) as address, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                take_screenshots(browser, address, FOLDER)
                browser.close()


if __name__ == "__main__":
    main()
