"""A service that asks for API keys, met by people with good keys, bad ones and ones that go bad."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import Session

from app.schemas.api_keys import ApiKeyIn
from app.services.access import api_keys
from tests.web.conftest import copied
from tests.web.service import served

HOMEPAGE = "#/experiments/homepage_test"


class Keys:
    """Makes and revokes keys in a service's database, as `groundhog keys` does."""

    def __init__(self, database_url: str) -> None:
        self.engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
        self.ids: dict[str, str] = {}

    def make(self, *scopes: Any, **more: Any) -> str:
        """Make a key and return it as its owner has it."""
        with Session(self.engine) as session, session.begin():
            new = ApiKeyIn(name="of a test", scopes=list(scopes), **more)
            made, key = api_keys.create(session, new, dt.datetime.now(dt.UTC))
        self.ids[key] = made.key_id
        return key

    def revoke(self, key: str) -> None:
        """Take a key's power; the service, which reads its keys for every request, knows at once."""
        with Session(self.engine) as session, session.begin():
            api_keys.revoke(session, self.ids[key], dt.datetime.now(dt.UTC))


@pytest.fixture(scope="module")
def guarded(server_url: str, played_url: str) -> Iterator[tuple[str, Keys]]:
    """The address of a service that wants keys, and who makes them."""
    with copied(server_url, played_url) as url:
        keys = Keys(url)
        keys.make("admin")
        with served(url, GROUNDHOG_KEY_CACHE_SECONDS="0") as address:
            yield address, keys
        keys.engine.dispose()


@pytest.fixture
def make_key(guarded: tuple[str, Keys]) -> Callable[..., str]:
    return guarded[1].make


@pytest.fixture
def site(guarded: tuple[str, Keys]) -> str:
    return guarded[0]


def asked(page: Page) -> Locator:
    return page.get_by_role("dialog", name="This service asks for an API key")


def give(page: Page, key: str) -> None:
    asked(page).get_by_label("API key", exact=True).fill(key)
    asked(page).get_by_role("button", name="Use this key").click()


def opened(page: Page, site: str, key: str, address: str = HOMEPAGE) -> None:
    page.goto(f"{site}/{address}")
    give(page, key)
    expect(asked(page)).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_good_key_opens_everything_and_is_kept_in_memory_only(page: Page, site: str, make_key) -> None:
    opened(page, site, make_key("read"), "#/")
    expect(page.get_by_role("link", name="Homepage headline")).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    for name in ("Plan", "Replay", "Experiments"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(asked(page)).to_have_count(0)
    stored = page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]")
    assert stored == [0, 0, ""]
    assert "gh_" not in page.url
    page.reload()
    expect(asked(page)).to_be_visible()


def test_a_bad_key_is_asked_for_again_with_the_reason(page: Page, site: str, make_key) -> None:
    expires = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    page.goto(f"{site}/{HOMEPAGE}")
    expect(asked(page)).not_to_contain_text("not accepted")
    for key, reason in (
        ("nonsense", "This is not an API key of Groundhog"),
        ("gh_0123456789ab_" + 43 * "x", "The API key is not valid"),
        (make_key("read", expires_at=expires), "expired at"),
    ):
        give(page, key)
        expect(asked(page).get_by_role("alert")).to_contain_text(reason)
    give(page, make_key("read"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Homepage headline")


def test_what_cannot_be_a_key_is_not_taken_for_a_lost_connection(page: Page, site: str) -> None:
    page.goto(f"{site}/{HOMEPAGE}")
    give(page, "Schlüssel ☃")
    invalid = "input => !input.validity.valid && input.validity.patternMismatch"
    assert asked(page).get_by_label("API key", exact=True).evaluate(invalid)
    expect(page.locator("#connection")).to_be_hidden()


def test_whoever_has_no_key_can_leave_the_question(page: Page, site: str, make_key) -> None:
    page.goto(f"{site}/{HOMEPAGE}")
    expect(asked(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("This needs an API key")
    page.get_by_role("button", name="Try again").click()
    give(page, make_key("read"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Homepage headline")


def test_who_has_left_the_question_is_not_asked_again_by_a_refusal_that_comes_late(
    page: Page, site: str, make_key
) -> None:
    held: list[Route] = []
    page.route("**/allocations/homepage_test*", lambda route: held.append(route))
    page.goto(f"{site}/{HOMEPAGE}")
    expect(asked(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("This needs an API key")
    assert held
    for route in held:
        with page.expect_response(route.request.url):
            route.continue_()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    give(page, make_key("read"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Homepage headline")


def test_a_key_that_may_only_read_is_told_so_when_it_writes_and_another_goes_on(
    page: Page, site: str, make_key
) -> None:
    opened(page, site, make_key("read"), f"{HOMEPAGE}/settings")
    page.get_by_label("Description").fill("Changed with a key")
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_role("alert")).to_contain_text("This needs the scope admin")
    page.get_by_role("button", name="Use another API key…").click()
    give(page, make_key("admin"))
    page.get_by_role("button", name="Save the settings").click()  # what was entered is still there
    expect(page.locator(".lead")).to_have_text("Changed with a key")


def test_a_key_revoked_meanwhile_is_asked_for_again_and_the_form_is_sent(
    page: Page, guarded: tuple[str, Keys]
) -> None:
    site, keys = guarded
    key = keys.make("admin")
    opened(page, site, key, f"{HOMEPAGE}/settings")
    page.get_by_role("button", name="Add a variant…").click()
    form = page.get_by_role("dialog", name="Add a variant")
    form.get_by_label("Id").fill("late")
    keys.revoke(key)
    form.get_by_role("button", name="Add it").click()
    expect(asked(page).get_by_role("alert")).to_contain_text("was revoked")
    ids = page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    give(page, keys.make("admin"))
    expect(page.get_by_role("button", name="Edit late")).to_be_visible()


def test_a_key_that_may_ask_seldom_waits_instead_of_failing(page: Page, site: str, make_key) -> None:
    key = make_key("read", requests_per_minute=120)
    opened(page, site, key, "#/plan")
    with httpx2.Client(base_url=site, headers={"Authorization": f"Bearer {key}"}) as client:
        while client.get("/policies").status_code != 429:
            pass
    page.get_by_role("link", name="Experiments").click()
    expect(page.locator("#connection")).to_contain_text("may send 120 requests a minute")
    expect(page.get_by_role("link", name="Homepage headline")).to_be_visible()
    expect(page.locator("#connection")).to_be_hidden()
