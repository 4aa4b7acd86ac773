"""Reading tables and numbers from a page."""

import re

from playwright.sync_api import Page, expect


def cells(page: Page, table: str | re.Pattern[str]) -> dict[str, list[str]]:
    """Return the rows of a table by the text of their first cells."""
    rows = page.get_by_role("table", name=table).locator("tbody tr")
    expect(rows.first).to_be_visible()
    texts = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))")
    return {row[0]: row[1:] for row in texts}


def number(text: str) -> float:
    """Return the first number of a text."""
    found = re.search(r"[-+]?[\d,]*\.?\d+", text.replace("€", ""))
    assert found, text
    return float(found[0].replace(",", ""))
