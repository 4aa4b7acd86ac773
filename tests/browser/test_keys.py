"""The dashboard of a service that requires API keys: with valid, invalid and revoked ones."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.browser import http
from tests.support.browser.keys import Keys
from tests.support.browser.service import served
from tests.support.databases import fresh_database

HOMEPAGE = "#/experiments/homepage_test"


@pytest.fixture(scope="module")
def secured(server_url: str, template_url: str) -> Iterator[tuple[str, Keys]]:
    """The address of a service that requires keys, and its keys."""
    with fresh_database(server_url, template_url) as url:
        keys = Keys(url)
        keys.create("admin")
        with served(url, GROUNDHOG_KEY_CACHE_SECONDS="0") as address:
            yield address, keys
        keys.engine.dispose()


@pytest.fixture
def create_key(secured: tuple[str, Keys]) -> Callable[..., str]:
    return secured[1].create


@pytest.fixture
def site(secured: tuple[str, Keys]) -> str:
    return secured[0]


def key_dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="This service requires an API key")


def enter_key(page: Page, key: str) -> None:
    key_dialog(page).get_by_label("API key", exact=True).fill(key)
    key_dialog(page).get_by_role("button", name="Use this key").click()


def opened(page: Page, site: str, key: str, address: str = HOMEPAGE) -> None:
    page.goto(f"{site}/{address}")
    enter_key(page, key)
    expect(key_dialog(page)).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_valid_key_opens_everything_and_is_held_in_memory_only(page: Page, site: str, create_key) -> None:
    opened(page, site, create_key("read"), "#/")
    expect(page.get_by_role("link", name="Homepage headline")).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    for name in ("Plan", "Replay", "Experiments"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(key_dialog(page)).to_have_count(0)
    stored = page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]")
    assert stored == [0, 0, ""]
    assert "gh_" not in page.url
    page.reload()
    expect(key_dialog(page)).to_be_visible()


def test_an_invalid_key_is_asked_for_again_with_the_reason(page: Page, site: str, create_key) -> None:
    expires = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    page.goto(f"{site}/{HOMEPAGE}")
    expect(key_dialog(page)).not_to_contain_text("not accepted")
    for key, reason in (
        ("nonsense", "This is not an API key of Groundhog"),
        ("gh_0123456789ab_" + 43 * "x", "The API key is not valid"),
        (create_key("read", expires_at=expires), "expired at"),
    ):
        enter_key(page, key)
        expect(key_dialog(page).get_by_role("alert")).to_contain_text(reason)
    enter_key(page, create_key("read"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Homepage headline")


def test_a_text_that_cannot_be_a_key_is_not_taken_for_a_lost_connection(page: Page, site: str) -> None:
    page.goto(f"{site}/{HOMEPAGE}")
    enter_key(page, "Schlüssel ☃")
    invalid = "input => !input.validity.valid && input.validity.patternMismatch"
    assert key_dialog(page).get_by_label("API key", exact=True).evaluate(invalid)
    expect(page.locator("#connection")).to_be_hidden()


def test_the_dialog_can_be_dismissed_without_a_key(page: Page, site: str, create_key) -> None:
    page.goto(f"{site}/{HOMEPAGE}")
    expect(key_dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("This needs an API key")
    page.get_by_role("button", name="Try again").click()
    enter_key(page, create_key("read"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Homepage headline")


def test_a_dismissed_dialog_does_not_return_with_a_late_error_response(
    page: Page, site: str, create_key
) -> None:
    held: list[Route] = []
    page.route("**/allocations/homepage_test*", lambda route: held.append(route))
    page.goto(f"{site}/{HOMEPAGE}")
    expect(key_dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("This needs an API key")
    assert held
    for route in held:
        with page.expect_response(route.request.url):
            route.continue_()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    enter_key(page, create_key("read"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Homepage headline")


def test_a_key_that_may_only_read_cannot_write_and_can_be_replaced(page: Page, site: str, create_key) -> None:
    opened(page, site, create_key("read"), f"{HOMEPAGE}/settings")
    page.get_by_label("Description").fill("Changed with a key")
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_role("alert")).to_contain_text("This needs the scope admin")
    page.get_by_role("button", name="Use another API key…").click()
    enter_key(page, create_key("admin"))
    page.get_by_role("button", name="Save the settings").click()  # the form still has what was entered
    expect(page.locator(".lead")).to_have_text("Changed with a key")


def test_after_a_revocation_another_key_is_asked_for_and_the_form_is_sent(
    page: Page, secured: tuple[str, Keys]
) -> None:
    site, keys = secured
    key = keys.create("admin")
    opened(page, site, key, f"{HOMEPAGE}/settings")
    page.get_by_role("button", name="Add a variant…").click()
    form = page.get_by_role("dialog", name="Add a variant")
    form.get_by_label("Id").fill("late")
    keys.revoke(key)
    form.get_by_role("button", name="Add it").click()
    expect(key_dialog(page).get_by_role("alert")).to_contain_text("was revoked")
    ids = page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    enter_key(page, keys.create("admin"))
    expect(page.get_by_role("button", name="Edit late")).to_be_visible()


def test_a_rate_limited_key_waits_instead_of_failing(page: Page, site: str, create_key) -> None:
    key = create_key("read", requests_per_minute=120)
    opened(page, site, key, "#/plan")
    with http.Client(base_url=site, headers={"Authorization": f"Bearer {key}"}) as client:
        while client.get("/policies").status_code != 429:
            pass
    page.get_by_role("link", name="Experiments").click()
    expect(page.locator("#connection")).to_contain_text("may send 120 requests a minute")
    expect(page.get_by_role("link", name="Homepage headline")).to_be_visible()
    expect(page.locator("#connection")).to_be_hidden()
