"""A new colleague is on the telephone: from the search to their first mail program."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from purelymanage.imap.account import Account
from purelymanage.imap.login import check_login
from purelymanage.quickstart import environment
from tests.browser.conftest import wait_for_sync
from tests.panel import Panel

MOST_SECONDS = 20  # of clicking and typing, with what the panel takes to answer
A_CLICK = 0.6  # what finding and pressing takes a person, on top of the machine
CLICKS = 9


@pytest.mark.slow
def test_somebody_is_taken_in_within_twenty_seconds(
    page: Page, browser: Browser, panel: Panel
) -> None:
    wait_for_sync(page)
    began = time.monotonic()
    page.keyboard.press("/")
    page.keyboard.type("yusra")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="New mailbox").first.click()
    page.get_by_label("Name").fill("yusra")
    page.get_by_label("Domain").select_option("example.org")
    page.get_by_role("button", name="Create the mailbox").click()
    expect(
        page.get_by_role("heading", name="yusra@example.org is ready")
    ).to_be_visible()
    page.get_by_role("button", name="Make a one-time link").click()
    link = page.locator(".secret code").inner_text()
    taken = time.monotonic() - began
    assert taken + CLICKS * A_CLICK < MOST_SECONDS

    owner = browser.new_context(java_script_enabled=False)
    try:
        there = owner.new_page()
        for _ in range(2):  # a preview by a mail program uses nothing up
            there.goto(link)
        there.get_by_role("button", name="Show the password once").click()
        password = there.locator(".secret code").inner_text()
        there.goto(link)
        expect(there.get_by_role("heading")).to_have_text(
            "This password was shown already"
        )
    finally:
        owner.close()

    host, _, port = panel.sandbox["destination_imap"].rpartition(":")
    account = Account(
        host=host,
        port=int(port),
        user="yusra@example.org",
        password=password,
        ca_file=environment.read(panel.env_file)["IMAP_CA_FILE"],
    )
    with ThreadPoolExecutor(1) as pool:  # this thread has playwright's event loop
        pool.submit(check_login, account).result()
    page.get_by_role("link", name="To the mailbox").click()
    expect(page.locator("#hand-overs")).to_contain_text("Opened")
