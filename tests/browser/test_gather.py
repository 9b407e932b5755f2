"""An owner hands over a password, on a phone and without JavaScript."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_accessibility import check
from tests.migrations.campaigns import rush
from tests.panel import Panel
from tests.visitor import Visitor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def path(panel: Panel) -> Iterator[str]:
    """Begin a campaign and return the path of its link for everybody."""
    name = f"Campaign {secrets.token_hex(3)}"
    with Visitor(panel) as visitor:
        server = visitor.add_server(name)
        yield rush.begin_campaign(visitor, name, server)


def hand_over(page: Page, panel: Panel, password: str) -> None:
    page.get_by_label("Your mailbox today").fill(panel.sandbox["source_user"])
    page.get_by_label("Its password").fill(password)
    page.get_by_label("You may read this mailbox").check()
    page.get_by_role("button", name="Check and send").click()


def test_it_needs_no_javascript(browser: Browser, panel: Panel, path: str) -> None:
    context = browser.new_context(
        base_url=panel.url,
        java_script_enabled=False,
        viewport={"width": 390, "height": 844},
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda it: asked.append(it.url))
    page.goto(path)
    hand_over(page, panel, "not-it")
    expect(page.get_by_text("refused this password")).to_be_visible()
    expect(page.get_by_label("Its password")).to_be_focused()
    hand_over(page, panel, panel.sandbox["source_password"])
    heading = page.get_by_role("heading", name="The password is right")
    expect(heading).to_be_visible()
    # Nothing comes from anywhere else.
    assert [url for url in asked if not url.startswith(panel.url)] == []
    context.close()


def test_axe_finds_nothing_on_what_owners_see(
    browser: Browser, panel: Panel, path: str
) -> None:
    context = browser.new_context(base_url=panel.url, reduced_motion="reduce")
    page = context.new_page()
    assert check(page, path) == []
    assert check(page, "/gather/made-up/") == []
    page.goto(path)
    hand_over(page, panel, "not-it")
    expect(page.get_by_text("refused this password")).to_be_visible()
    context.close()
