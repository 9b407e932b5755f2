"""A campaign from its first page to the report of its copies, as its people see it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.browser.test_accessibility import check
from tests.panel import Panel
from tests.visitor import Visitor

pytestmark = pytest.mark.slow

ANSWERS = 20_000  # milliseconds, as the form promises less
COPIES = 120.0  # seconds
LISTED, UNLISTED = "info@old-provider.example", "ben@old-provider.example"


@contextmanager
def telephone(
    browser: Browser, panel: Panel, *, runs_scripts: bool = True
) -> Iterator[Page]:
    """Open a page of somebody who knows nothing of the panel but a link."""
    context = browser.new_context(
        base_url=panel.url,
        reduced_motion="reduce",
        viewport={"width": 390, "height": 844},
        java_script_enabled=runs_scripts,
    )
    context.set_default_timeout(ANSWERS)
    yield context.new_page()
    context.close()


def open_campaign(page: Page, name: str, server: str) -> str:
    """Fill in the form of a campaign and return the path of its page."""
    page.goto("/migrations/campaigns/")
    page.get_by_role("link", name="New campaign").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Old server").select_option(label=server)
    page.get_by_label("Domain", exact=True).select_option("shop.example")
    page.get_by_label("Who asks").fill("The shop")
    page.get_by_label("Whom owners ask").fill("help@shop.example")
    page.get_by_role("button", name="Open the campaign").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    return urlsplit(page.url).path


def give_new_name(page: Page, path: str, address: str, new: str) -> str:
    """Let somebody's mail go into a mailbox that no other test knows.

    Answers the path of the page on which that is said.
    """
    page.goto(path)
    row = page.get_by_role("row").filter(has_text=address)
    row.locator("summary").click()
    row.get_by_role("link", name="Change where it goes").click()
    page.get_by_label("New mailbox").fill(new)
    there = urlsplit(page.url).path
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row").filter(has_text=address)).to_contain_text(new)
    return there


def hand_over(page: Page, password: str) -> None:
    page.get_by_label("Its password").fill(password)
    page.get_by_label("You may read this mailbox").check()
    page.get_by_role("button", name="Check and send").click()


def test_a_campaign_from_its_first_page_to_the_report(
    page: Page, panel: Panel, browser: Browser
) -> None:
    mark = secrets.token_hex(3)
    with Visitor(panel) as visitor:
        visitor.add_server(f"Provider {mark}")
        path = open_campaign(page, f"Move {mark}", f"Provider {mark}")
        people = visitor.post(f"{path}people/", table=LISTED)
        assert "is new on the list" in people.text
        page.goto(path)
        shared = urlsplit(page.locator(".ways .link").first.inner_text()).path

        # By the link for everybody, without scripts.
        with telephone(browser, panel, runs_scripts=False) as phone:
            phone.goto(shared)
            phone.get_by_label("Your mailbox today").fill(UNLISTED)
            hand_over(phone, password_of(UNLISTED))
            expect(phone.get_by_text("The password is right")).to_be_visible()

        # By a link of one's own, wrong at first.
        page.goto(path)
        row = page.get_by_role("row").filter(has_text=LISTED)
        row.locator("summary").click()
        row.get_by_role("button", name="Show their link").click()
        own = urlsplit(page.locator(".secret code").inner_text()).path
        with telephone(browser, panel) as phone:
            assert check(phone, own) == []
            hand_over(phone, "not-its-password")
            expect(phone.get_by_text("refused this password")).to_be_visible()
            hand_over(phone, password_of(LISTED))
            expect(phone.get_by_text("The password is right")).to_be_visible()

        # The review, and one click for all; the second finds nothing to do.
        give_new_name(page, path, LISTED, f"info-{mark}@shop.example")
        there = give_new_name(page, path, UNLISTED, f"ben-{mark}@shop.example")
        assert check(page, there) == []
        assert check(page, there.replace("/destination/", "/password/")) == []
        page.goto(path)
        expect(page.get_by_text("2 are ready")).to_be_visible()
        assert check(page, path) == []
        page.get_by_text("How they begin").click()
        page.get_by_label("Copying at once").check()
        page.get_by_role("button", name="Launch all 2").dblclick()
        expect(page).to_have_url(re.compile(r"/migrations/batches/\d+/$"))
        batch = urlsplit(page.url).path

        with telephone(browser, panel) as phone:
            phone.goto(own)
            done = phone.get_by_text("Your mail has been copied")
            expect(done).to_be_visible(timeout=COPIES * 1000)
            assert check(phone, own) == []
        visitor.wait_for(batch, "2 mailboxes: 2 complete", seconds=COPIES)
        page.goto(path)
        expect(page.get_by_text("2 launched, 2 complete")).to_be_visible()
        page.get_by_role("link", name="See the copies").click()
        page.get_by_role("link", name="Report").click()
        for name in ("info", "ben"):
            row = page.get_by_role("row").filter(has_text=f"{name}-{mark}@")
            expect(row).to_contain_text("Complete")
