"""A browser, a service with experiments that have a past, and an eye on everything a page says or asks for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import make_url

from app.storage import migrate
from tests.support.databases import fresh_database
from tests.web import seasons
from tests.web.chromium import FLAGS, MISSING, chromium
from tests.web.service import served

PATIENCE = 60_000  # milliseconds, on a machine that does much else
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def base_url() -> None:
    """There are several services: every address is said in full."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    if chromium() is None:
        pytest.skip(MISSING)
    return {**browser_type_launch_args, "executable_path": chromium(), "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def played_url(server_url: str) -> Iterator[str]:
    """A database in which every season was played, to make others from."""
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        seasons.play(url, seasons.EVERY, [seasons.NEW])
        yield url


@contextmanager
def copied(server_url: str, database_url: str) -> Iterator[str]:
    """Make a database like another one, which nobody is connected to."""
    name = f"groundhog_test_{uuid4().hex[:12]}"
    url = make_url(server_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(False), autocommit=True) as connection:
        connection.execute(f"create database {name} template {make_url(database_url).database}")
        try:
            yield url.set(database=name).render_as_string(False)
        finally:
            connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def site(server_url: str, played_url: str) -> Iterator[str]:
    """The address of a service with experiments that have a past.

    It is there once, because starting one takes seconds: tests change only experiments of their own.
    """
    with copied(server_url, played_url) as database_url, served(database_url) as address:
        yield address


@pytest.fixture(scope="module")
def empty_site(server_url: str) -> Iterator[str]:
    """The address of a service that knows nothing yet."""
    with fresh_database(server_url) as database_url:
        migrate.upgrade(database_url)
        with served(database_url) as address:
            yield address


AT_REST = """() => [...document.querySelectorAll("figure.chart .canvas:not([data-drawn])")].every((chart) => {
  const { top, bottom } = chart.getBoundingClientRect();
  return bottom < -300 || top > innerHeight + 300;
})"""
"""No chart is about to be drawn here: they are as they come near the screen, and what is below them moves."""
click = Locator.click


def click_at_rest(target: Locator, **options: Any) -> None:
    """Click as people do: what still moves they would miss."""
    target.scroll_into_view_if_needed()
    give_up = time.monotonic() + PATIENCE / 1000
    while not target.page.evaluate(AT_REST) and time.monotonic() < give_up:
        target.page.wait_for_timeout(20)
    click(target, **options)


@pytest.fixture
def page(page: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page that may say nothing to its console, and ask nobody but the service."""
    monkeypatch.setattr(Locator, "click", click_at_rest)
    said: list[str] = []
    asked: list[str] = []
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert [text for text in said if "Failed to load resource" not in text] == []  # refusals are tested for
    own = ("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:")
    assert [url for url in asked if not url.startswith(own)] == []


@pytest.fixture
def api(site: str) -> Callable[..., dict]:
    """What the service answers to a path."""

    def ask(path: str) -> dict:
        return httpx2.get(site + path).raise_for_status().json()

    return ask
