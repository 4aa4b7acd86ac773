"""The dashboard's page of an experiment, opened by a browser that has never seen it."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.measurement import Measurement, Target, short
from benchmarks.sample_data import totals
from benchmarks.service import Service
from tests.support.browser.chromium import FLAGS, MISSING, chromium

REPEATS = 9
VARIANTS, DAYS = 4, 90
CHARTS_READY = """() => new Promise((ready) => {
  const look = () => {
    const charts = [...document.querySelectorAll("figure.chart .canvas")];
    if (charts.length && charts.every((chart) => chart.dataset.drawn === "yes")) ready(performance.now());
    else requestAnimationFrame(look);
  };
  look();
})"""
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
BYTES = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map(({name, encodedBodySize}) => [name, encodedBodySize])"""


def measure(service: Service) -> Iterator[Measurement]:
    """Yield the bytes of the first load, and the times until something and until the chart is to be seen."""
    if chromium() is None:
        print(f"  not measured: {MISSING}")
        return
    service.record(totals("dashboard", VARIANTS, DAYS))
    service.get("/allocations/dashboard")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        seen = [_opened(browser, f"{service.url}/#/experiments/dashboard") for _ in range(REPEATS)]
        browser.close()
    paints, charts, loads = zip(*seen, strict=True)
    most = max(loads[0].items(), key=lambda item: item[1])
    yield Measurement(
        "dashboard, first load: kB as gzip",
        [sum(load.values()) / 1000 for load in loads],
        Target("<=", 350),
        f"{len(loads[0])} files, {short(most[1] / 1000)} kB of it {PurePosixPath(urlsplit(most[0]).path).name}",
    )
    yield Measurement("dashboard, first paint: ms", paints, Target("<=", 300))
    yield Measurement("dashboard, charts ready: ms", charts, Target("<=", 1200))


def _opened(browser: Browser, address: str) -> tuple[float, float, dict[str, int]]:
    """Return the times of first paint and of the charts, in ms, and the bytes of every file."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page: Page = context.new_page()
    page.goto(address, wait_until="commit")
    ready = page.evaluate(CHARTS_READY)
    found = page.evaluate(FIRST_PAINT), ready, dict(page.evaluate(BYTES))
    context.close()
    return found
