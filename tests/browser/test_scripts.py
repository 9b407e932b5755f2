"""What the panel's own scripts add, and that nothing hangs on them."""

from __future__ import annotations

import contextlib
import re

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Error, Page, Route, expect

from tests.browser.conftest import wait_for_sync
from tests.panel import Panel

pytestmark = pytest.mark.slow

FILTER = "main input[name=q]"
ROWS = "main tbody tr"


def go_back(page: Page) -> None:
    """Go back as a person does, without waiting for a page that may not be loaded."""
    page.evaluate("() => void setTimeout(() => history.back())")


def test_filters_orders_and_the_back_button(page: Page) -> None:
    page.goto("/mailboxes/")
    wait_for_sync(page)
    everything = page.locator(ROWS).count()
    page.fill(FILTER, "nobody-has-this")
    expect(page.get_by_text("No mailbox contains")).to_be_visible()
    page.wait_for_url("**/mailboxes/?q=nobody*")
    page.fill(FILTER, "")
    expect(page.locator(ROWS)).to_have_count(everything)

    page.get_by_role("link", name="Address").click()
    page.wait_for_url("**sort=-address*")
    expect(page.locator("th[aria-sort=descending]")).to_be_visible()
    domain = page.locator("select[name=domain] option").nth(1).inner_text()
    page.select_option("select[name=domain]", domain)
    page.wait_for_url(f"**domain={domain}*")
    assert "sort=-address" in page.url

    go_back(page)
    page.wait_for_url("**sort=-address*")
    expect(page.locator(ROWS)).to_have_count(everything)
    page.keyboard.press("?")  # the scripts have not lost hold of the page
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_a_filter_is_one_step_of_the_way_back(page: Page) -> None:
    page.goto("/domains/")
    page.goto("/mailboxes/")
    wait_for_sync(page)
    page.fill(FILTER, "nobody-has-this")
    page.wait_for_url("**/mailboxes/?q=nobody-has-this")  # and nothing that is empty
    with page.expect_response("**/mailboxes/?q=nobody-has-this"):
        page.press(FILTER, "Enter")
    expect(page.get_by_text("No mailbox contains")).to_be_visible()
    go_back(page)
    page.wait_for_url("**/mailboxes/")
    # Only then has htmx finished with bringing the list back.
    expect(page.get_by_text("No mailbox contains")).to_be_hidden()
    go_back(page)
    page.wait_for_url("**/domains/")


def test_an_answer_that_comes_after_going_back_is_dropped(page: Page) -> None:
    page.goto("/domains/")
    page.goto("/mailboxes/")
    wait_for_sync(page)
    everything = page.locator(ROWS).count()
    page.fill(FILTER, "nobody-has-this")
    page.wait_for_url("**/mailboxes/?q=nobody-has-this")
    answer: list[Route] = []
    page.route("**/mailboxes/?q=late", lambda route: answer.append(route))
    with page.expect_request("**/mailboxes/?q=late"):
        page.fill(FILTER, "late")
    before: list[Route] = []  # the page that is gone back to takes longer still
    page.route("**/mailboxes/", lambda route: before.append(route))
    with page.expect_request("**/mailboxes/"):
        go_back(page)
    with contextlib.suppress(Error):  # whoever asked is not there any more
        answer[0].continue_()
    page.wait_for_timeout(300)
    before[0].continue_()
    expect(page.locator(ROWS)).to_have_count(everything)
    page.unroute_all()
    go_back(page)
    page.wait_for_url("**/domains/")


def test_an_address_is_copied_and_that_is_said(page: Page) -> None:
    page.context.grant_permissions(["clipboard-write"])
    page.goto("/mailboxes/")
    button = page.locator("main .copy").first
    button.click()
    expect(page.locator("#spoken")).to_have_text("Copied.")
    # No page of the panel may read the clipboard, but people may paste.
    copied = button.get_attribute("data-copy") or ""
    page.locator(FILTER).press("Control+V")
    expect(page.locator(FILTER)).to_have_value(copied)


def test_keys_lead_where_they_say(page: Page) -> None:
    page.goto("/domains/")
    page.keyboard.press("/")
    expect(page.locator(FILTER)).to_be_focused()
    page.keyboard.type("gr")  # words, as long as one is in a field
    expect(page.locator(FILTER)).to_have_value("gr")
    page.goto("/domains/")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/routing/")


def test_keys_can_be_switched_off(page: Page) -> None:
    page.goto("/domains/")
    page.keyboard.press("?")
    page.get_by_label("Use single keys in this browser").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("/")
    expect(page.locator(FILTER)).not_to_be_focused()


def test_the_theme_is_kept(page: Page) -> None:
    page.locator(".segmented label", has_text="Dark").click()
    page.goto("/routing/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_label("Dark")).to_be_checked()


def test_a_live_page_says_when_the_panel_does_not_answer(page: Page) -> None:
    page.goto("/domains/")
    wait_for_sync(page)
    # A part that asks again and again, as one does while a sync runs.
    page.route("**/domains/sync/", lambda route: route.abort())
    page.evaluate(
        """() => {
            const part = document.getElementById("freshness");
            part.setAttribute("hx-get", "/domains/sync/");
            part.setAttribute("hx-trigger", "every 200ms");
            htmx.process(part);
        }"""
    )
    lost = page.get_by_text("The connection to the panel is lost.")
    expect(lost).to_be_visible()
    page.unroute("**/domains/sync/")
    expect(lost).to_be_hidden()


def test_a_page_that_could_not_be_had_comes_back_by_itself(page: Page) -> None:
    sorry = render_to_string("503.html", {"is_read": True, "again_after": 0.1})
    page.route(
        "**/settings/",
        lambda route: route.fulfill(status=503, content_type="text/html", body=sorry),
    )
    page.goto("/settings/")
    expect(page.get_by_role("heading", name="does not answer")).to_be_visible()
    with page.expect_request(lambda it: it.method == "HEAD"):
        pass
    page.unroute("**/settings/")
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()


def test_what_changes_is_spoken_once(page: Page) -> None:
    page.goto("/domains/")
    wait_for_sync(page)
    page.evaluate(
        """() => {
            window.heard = [];
            const spoken = document.getElementById("spoken");
            new MutationObserver(() => heard.push(spoken.textContent))
                .observe(spoken, {childList: true});
        }"""
    )
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator("#spoken")).to_have_text("Synced", timeout=60_000)
    about_the_sync = [it for it in page.evaluate("heard") if "Sync" in it]
    assert about_the_sync == ["Syncing", "Synced"]


def test_the_drawer_opens_and_closes(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/domains/")
    nav = page.get_by_role("navigation", name="Main")
    expect(nav).to_be_hidden()
    page.get_by_label("Open the menu").click()
    expect(nav).to_be_visible()
    page.keyboard.press("Escape")
    expect(nav).to_be_hidden()
    page.keyboard.press("?")  # in a narrow window on a desk
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.get_by_text("Esc", exact=True)).to_be_visible()


def reload_while_syncing(page: Page) -> None:
    """Do what a person does without scripts, whose page does not refresh itself."""
    for _ in range(60):
        if not page.locator("#freshness").filter(has_text="Syncing").count():
            return
        page.wait_for_timeout(1_000)
        page.reload()


def test_everything_works_without_scripts(browser: Browser, panel: Panel) -> None:
    context = browser.new_context(base_url=panel.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/mailboxes/")
    page.get_by_label("E-mail address").fill(panel.email)
    page.get_by_label("Password").fill(panel.password)
    page.get_by_role("button", name="Sign in").click()
    page.fill(FILTER, "nobody-has-this")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="Clear the filters").click()
    page.get_by_role("link", name="Address").click()
    expect(page).to_have_url(re.compile("sort=-address"))
    reload_while_syncing(page)
    page.get_by_role("button", name="Sync now").click()
    expect(page).to_have_url(re.compile("/mailboxes/$"))
    reload_while_syncing(page)
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()
