"""The set-up by keyboard: a worker asks PurelyMail while the page waits for it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow


def test_the_focus_waits_at_the_step_that_is_under_way(page: Page) -> None:
    page.goto("/setup/")
    page.get_by_role("button", name="Check again").press("Enter")
    heading = page.get_by_role("heading", name="API token")
    expect(heading).to_be_focused()
    said = page.locator("#spoken")
    expect(said).to_contain_text("steps are done.")
    expect(page.get_by_role("button", name="Check again")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("The token is right; the credit is $")).to_be_visible()
    expect(heading).to_be_focused()
    # Nothing goes on any more, so nothing asks any more.
    expect(page.locator("#setup[hx-get]")).to_have_count(0)
