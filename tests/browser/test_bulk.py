"""From a table in a spreadsheet to mailboxes and a sheet of links."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import check

pytestmark = pytest.mark.slow


def test_a_table_becomes_mailboxes_and_a_sheet_of_links(page: Page) -> None:
    turn = secrets.token_hex(3)
    addresses = [f"{turn}{name}@example.org" for name in ("anna", "ben")]
    rows = ["Address\tTags", *(f"{it}\tnew" for it in addresses), "no address\tnew"]
    page.goto("/mailboxes/import/")
    page.get_by_label("Or paste a table").fill("\n".join(rows))
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_label("Address", exact=True)).to_have_value("address")
    assert check(page, page.url) == []
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_text("There is no domain.")).to_be_visible()
    assert check(page, page.url) == []

    page.get_by_role("button", name="Start with the 2 right ones").click()
    expect(page.get_by_role("heading", name="All done")).to_be_visible(timeout=30_000)
    assert "%" not in page.title()
    with page.expect_download() as download:
        page.get_by_role("link", name="Sheet of links").click()
    sheet = Path(download.value.path()).read_text(encoding="utf-8-sig")
    links = re.findall(r"https?://\S+?/welcome/[\w-]+/", sheet)
    assert len(links) == 2
    assert all(address in sheet for address in addresses)
    assert check(page, page.url) == []
