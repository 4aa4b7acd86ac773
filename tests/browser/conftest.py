"""A browser, a service whose experiments have a history, and a page that must stay free of errors."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.storage import migrate
from tests.support.browser import histories, http
from tests.support.browser.chromium import FLAGS, MISSING, chromium
from tests.support.browser.service import served
from tests.support.databases import fresh_database

TIMEOUT = 60_000  # milliseconds, enough on a busy machine
expect.set_options(timeout=TIMEOUT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests, and put them last: Playwright's event loop runs on, and others must not meet it."""
    for item in items:
        if is_here(item):
            item.add_marker(pytest.mark.system)
    items.sort(key=is_here)


def is_here(item: pytest.Item) -> bool:
    return item.path.is_relative_to(Path(__file__).parent)


@pytest.fixture(scope="session")
def base_url() -> None:
    """Not used: there are several services, so every address is given in full."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    if chromium() is None:
        pytest.skip(MISSING)
    return {**browser_type_launch_args, "executable_path": chromium(), "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def template_url(server_url: str) -> Iterator[str]:
    """A database with all histories, to be copied."""
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        histories.simulate(url, histories.HISTORIES, [histories.NEW])
        yield url


@pytest.fixture(scope="session")
def site(server_url: str, template_url: str) -> Iterator[str]:
    """The address of a service whose experiments have a history.

    All tests share it, because starting one takes seconds: a test changes only experiments of its own.
    """
    with fresh_database(server_url, template_url) as database_url, served(database_url) as address:
        yield address


@pytest.fixture(scope="module")
def empty_site(server_url: str) -> Iterator[str]:
    """The address of a service without any data."""
    with fresh_database(server_url) as database_url:
        migrate.upgrade(database_url)
        with served(database_url) as address:
            yield address


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that may log nothing to its console, and send requests only to the service."""
    logged: list[str] = []
    requested: list[str] = []
    page.set_default_timeout(TIMEOUT)
    page.on("console", lambda message: logged.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    yield page
    assert [
        text for text in logged if "Failed to load resource" not in text
    ] == []  # error responses are tested
    own = ("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:")
    assert [url for url in requested if not url.startswith(own)] == []


@pytest.fixture
def api(site: str) -> Callable[..., dict]:
    """A function that returns the service's response to a GET."""

    def read(path: str) -> dict:
        return http.get(site + path).raise_for_status().json()

    return read
