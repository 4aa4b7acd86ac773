"""OpenFeature's official web SDK in a real page of another origin, with a key for pages and no other."""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page

from app.storage import migrate
from tests.support import ROOT
from tests.support.browser import http
from tests.support.browser.keys import Keys
from tests.support.browser.service import served
from tests.support.databases import fresh_database

WEB = ROOT / "tests" / "system" / "openfeature" / "web"
TIMEOUT = 60  # seconds, enough on a busy machine
EVALUATE = "asked => shop.evaluate(asked.service, asked.key, asked.unit, asked.flags)"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def origin() -> Iterator[str]:
    """Serve the page at an origin of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(WEB))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Shop(NamedTuple):
    """A service, a page of an origin that its key names, one of another origin, and the key."""

    service: str
    page: str
    stranger: str
    key: str
    admin: dict[str, str]

    def impressions(self, experiment_id: str) -> int:
        """Return how many units were exposed."""
        today = dt.datetime.now(dt.UTC).date()
        path = f"/metrics/{experiment_id}?since={today - dt.timedelta(days=1)}"
        rows = http.get(self.service + path, headers=self.admin).raise_for_status().json()["items"]
        return sum(row["impressions"] for row in rows)


@pytest.fixture(scope="module")
def shop(server_url: str) -> Iterator[Shop]:
    if not (WEB / "node_modules").is_dir():
        pytest.skip("OpenFeature's web SDK is not here: make test installs it where there is npm")
    with fresh_database(server_url) as url, origin() as page, origin() as stranger:
        migrate.upgrade(url)
        keys = Keys(url)
        admin = {"X-API-Key": keys.create("admin")}
        key = keys.create("evaluate", origins=[page], experiment_prefix="shop-", requests_per_minute=6000)
        with served(url, GROUNDHOG_KEY_CACHE_SECONDS="0") as service:
            for name, source in (("shop-headline", "tracked"), ("shop-reported", "reported")):
                variants = [{"variant_id": "control"}, {"variant_id": "bold"}]
                body = {"experiment_id": name, "source": source, "variants": variants}
                http.post(f"{service}/experiments", json=body, headers=admin).raise_for_status()
            yield Shop(service, page, stranger, key, admin)
        keys.engine.dispose()


def asked(shop: Shop, unit: str) -> dict[str, Any]:
    flags = ["shop-headline", "shop-reported"]
    return {"service": shop.service, "key": shop.key, "unit": unit, "flags": flags}


def exposure(unit: str) -> dict[str, str]:
    return {"experiment_id": "shop-headline", "unit_id": unit, "event_id": f"{unit}-1", "type": "exposure"}


def test_the_web_sdk_evaluates_flags_and_sees_no_other_experiment(shop: Shop, page: Page) -> None:
    page.goto(f"{shop.page}/page.html")
    found = page.evaluate(EVALUATE, asked(shop, "ann"))
    assert found["shop-headline"]["reason"] == "SPLIT"
    assert found["shop-headline"]["value"] in {"control", "bold"}
    assert found["shop-reported"]["errorCode"] == "FLAG_NOT_FOUND"


def test_a_page_records_events_with_the_headers_of_tracing(shop: Shop, page: Page) -> None:
    page.goto(f"{shop.page}/page.html")
    page.evaluate(EVALUATE, asked(shop, "ben"))
    sent = {"service": shop.service, "key": shop.key, "event": exposure("ben")}
    status, answer = page.evaluate("sent => shop.record(sent.service, sent.key, sent.event)", sent)
    assert (status, answer["counted"]) == (200, 1)


def test_a_beacon_is_delivered_when_the_page_is_left(shop: Shop, page: Page) -> None:
    page.goto(f"{shop.page}/page.html")
    page.evaluate(EVALUATE, asked(shop, "cem"))
    before = shop.impressions("shop-headline")
    sent = {"service": shop.service, "key": shop.key, "event": exposure("cem")}
    page.evaluate("sent => shop.beaconWhenLeaving(sent.service, sent.key, sent.event)", sent)
    page.goto("about:blank")
    give_up = time.monotonic() + TIMEOUT
    while shop.impressions("shop-headline") == before and time.monotonic() < give_up:
        time.sleep(0.05)
    assert shop.impressions("shop-headline") == before + 1


def test_the_key_does_nothing_in_a_page_of_another_origin(shop: Shop, context: Any) -> None:
    page = context.new_page()
    page.goto(f"{shop.stranger}/page.html")
    failed = page.evaluate(
        "asked => shop.evaluate(asked.service, asked.key, asked.unit, asked.flags).then(() => null, String)",
        asked(shop, "eve"),
    )
    assert failed is not None
    path = f"{shop.service}/assignments/shop-headline?unit_id=eve"
    assert http.get(path, headers=shop.admin).status_code == 404
