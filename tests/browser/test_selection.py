"""Mailboxes stay chosen from page to page, and all of them arrive where they are sent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import wait_for_sync

pytestmark = pytest.mark.slow

BOXES = "tbody .pick input"
FILTER = "#filters input[name=q]"


def test_a_choice_survives_filters_and_is_sent_whole(page: Page) -> None:
    page.goto("/mailboxes/")
    wait_for_sync(page)
    boxes, chosen = page.locator(BOXES), page.locator(".bulk .chosen")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator(f"{BOXES}:checked")).to_have_count(4)
    expect(page.locator("#spoken")).to_have_text("4 chosen.")

    # Another list, from which one more is taken by the keyboard.
    with page.expect_response("**/mailboxes/?q=shop.example"):
        page.fill(FILTER, "shop.example")
    expect(page.locator("tbody th").first).to_contain_text("shop.example")
    expect(page.locator(f"{BOXES}:checked")).to_have_count(0)
    boxes.last.focus()
    page.keyboard.press("Enter")  # sends nothing
    page.keyboard.press("Space")
    expect(page.locator("#spoken")).to_have_text("5 chosen.")
    expect(chosen).to_contain_text("4 not on this page")

    page.reload()
    expect(page.locator(f"{BOXES}:checked")).to_have_count(1)
    page.get_by_role("button", name="Tag…").click()
    page.wait_for_url(re.compile(r"/mailboxes/bulk/\d+/"))
    expect(page.locator("h1")).to_contain_text("5")

    # It was handed over; who wants it once more can have it.
    page.goto("/mailboxes/")
    expect(page.locator(f"{BOXES}:checked")).to_have_count(0)
    page.get_by_role("button", name="Choose the last 5 again").click()
    expect(page.locator(f"{BOXES}:checked")).to_have_count(5)


def test_a_filter_is_taken_away_by_its_chip(page: Page) -> None:
    page.goto("/mailboxes/?two_factor=off&q=example")
    page.get_by_role("link", name="Two-factor off").click()
    page.wait_for_url("**/mailboxes/?q=example")
    expect(page.locator("select[name=two_factor]")).to_have_value("")
    expect(page.locator(FILTER)).to_have_value("example")
    expect(page.get_by_role("link", name="“example”")).to_be_focused()
    page.evaluate("history.back()")
    page.wait_for_url("**two_factor=off*")
    expect(page.locator("select[name=two_factor]")).to_have_value("off")


def test_columns_are_ticked_one_after_the_other(page: Page) -> None:
    page.goto("/mailboxes/")
    wait_for_sync(page)
    page.get_by_text("View", exact=True).click()
    for label in ("Note", "Domain"):
        page.get_by_label(label, exact=True).locator("visible=true").last.check()
        expect(page.get_by_role("columnheader", name=label)).to_be_visible()
    expect(page.get_by_label("Note", exact=True)).to_be_checked()
    page.goto("/mailboxes/")
    expect(page.get_by_role("columnheader", name="Domain")).to_be_visible()
