"""An experiment is deleted from its settings page, by typing its id."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import http

ID = "deleted_by_hand"


@pytest.fixture
def opened(page: Page, site: str) -> Page:
    """The settings page of an experiment of two variants."""
    body = {"experiment_id": ID, "variants": [{"variant_id": "a"}, {"variant_id": "b"}]}
    http.post(f"{site}/experiments", json=body)  # it is there still if a test did not delete it
    page.goto(f"{site}/#/experiments/{ID}/settings")
    expect(page.get_by_role("region", name="Delete")).to_be_visible()
    return page


def status(site: str) -> int:
    return http.get(f"{site}/experiments/{ID}").status_code


def test_another_text_than_the_id_deletes_nothing(opened: Page, site: str) -> None:
    opened.get_by_role("button", name="Delete…").click()
    dialog = opened.get_by_role("dialog", name=f"Delete {ID}?")
    expect(dialog).to_contain_text("2 variants")
    dialog.get_by_label(f"Type {ID}").fill("yes")
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(dialog).to_contain_text(f"Input should be the experiment's id, {ID}")
    dialog.get_by_role("button", name="Cancel").click()
    assert status(site) == 200


def test_the_export_is_offered_beside_it(opened: Page) -> None:
    with opened.expect_download() as saved:
        opened.get_by_role("region", name="Delete").get_by_role("button", name="Export").click()
    assert saved.value.suggested_filename == f"{ID}.ndjson"
    assert '"groundhog_export"' in saved.value.path().read_text()


def test_the_typed_id_deletes_it_and_leads_back_to_the_list(opened: Page, site: str) -> None:
    opened.get_by_role("button", name="Delete…").click()
    dialog = opened.get_by_role("dialog", name=f"Delete {ID}?")
    dialog.get_by_label(f"Type {ID}").fill(ID)
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(opened.locator("#status")).to_have_text(f"{ID} was deleted.")
    expect(opened.get_by_role("heading", name="Experiments")).to_be_visible()
    assert status(site) == 404
