from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import (
    Browser,
    Page,
    StorageState,
    expect,
    sync_playwright,
)

from tests.panel import Panel
from tests.requirements import require_program

# Milliseconds for what comes in a moment, and later where others are at work.
PATIENCE = 20_000
# What browsers say about the headers of a page.
COMPLAINT = re.compile("Content Security|Permissions-Policy")
# What has no windows, which nobody would see, takes a third less of the processor.
WITHOUT_WINDOWS = "chromium-headless-shell"
OTHERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Playwright keeps an event loop in this thread, in which other tests cannot start
# theirs: so it ends with the tests of this folder.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = require_program(WITHOUT_WINDOWS, *OTHERS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=ARGUMENTS, headless=True
        )
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


def wait_for_sync(page: Page) -> None:
    """Wait until the page, which refreshes itself, does not do so any more.

    The panel reads the account when it starts, and after each change.
    """
    button = page.get_by_role("button", name="Sync now")
    expect(button).to_be_visible(timeout=60_000)


@pytest.fixture(scope="package")
def session() -> dict[str, StorageState]:
    """What a browser knows after signing in; kept from one test to the next."""
    return {}


@contextmanager
def signed_in(
    browser: Browser, panel: Panel, session: dict[str, StorageState]
) -> Iterator[tuple[Page, list[str]]]:
    """Open a page of somebody who is signed in, with what reaches its console."""
    # Colours that are on their way from one theme to the other fail every check.
    context = browser.new_context(
        base_url=panel.url, reduced_motion="reduce", storage_state=session.get("kept")
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda it: wrong.append(it.text) if COMPLAINT.search(it.text) else None,
    )
    page.goto("/")
    if "/accounts/login/" in page.url:
        page.get_by_label("E-mail address").fill(panel.email)
        page.get_by_label("Password").fill(panel.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        session["kept"] = context.storage_state()
    yield page, wrong
    context.close()


@pytest.fixture
def page(
    browser: Browser, panel: Panel, session: dict[str, StorageState]
) -> Iterator[Page]:
    """Return a page of somebody who is signed in; no error may reach its console."""
    with signed_in(browser, panel, session) as (page, wrong):
        yield page
    assert not wrong
