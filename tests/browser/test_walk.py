"""What a new user does on the first day, in their order."""

from __future__ import annotations

import imaplib
import re
import secrets
import ssl

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import wait_for_sync
from tests.panel import Panel

pytestmark = pytest.mark.slow

# The panel may be one that has been walked through before.
TURN = secrets.token_hex(3)


def sign_in_by_imap(panel: Panel, address: str, password: str) -> imaplib.IMAP4_SSL:
    host, _, port = panel.sandbox["destination_imap"].rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = imaplib.IMAP4_SSL(host, int(port), ssl_context=context)
    connection.login(address, password)
    return connection


def add_server(page: Page, panel: Panel, name: str) -> None:
    host, _, port = panel.sandbox["source_imap"].rpartition(":")
    page.goto("/migrations/servers/new/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Host name").fill(host)
    page.get_by_label("Port").fill(port)
    page.get_by_role("button", name="Test it first").click()
    expect(page.get_by_text("trusted certificate")).to_be_visible()
    page.get_by_role("button", name="Add the server").click()
    expect(page.get_by_role("heading", name="Servers")).to_be_visible()


def fill_job(page: Page, panel: Panel, server: str, to: str, password: str) -> None:
    page.goto("/migrations/jobs/new/")
    origin = page.get_by_role("group", name="From")
    origin.get_by_label("Server").select_option(label=server)
    origin.get_by_label("Old mailbox").fill(panel.sandbox["source_user"])
    origin.get_by_label("Its password").fill(password)
    page.get_by_label("Mailbox", exact=True).fill(to)
    page.get_by_role("button", name="Make the plan").click()


def plan(page: Page, panel: Panel, server: str, to: str) -> None:
    fill_job(page, panel, server, to, panel.sandbox["source_password"])
    page.wait_for_url(re.compile(r"/migrations/jobs/\d+/$"))
    expect(page.get_by_role("button", name="Run it")).to_be_visible(timeout=30_000)


def test_the_front_page_tells_what_there_is(page: Page) -> None:
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    figures = page.locator(".figures").first
    expect(figures).to_contain_text(re.compile("Mailboxes4[0-9]"))
    expect(figures).to_contain_text("Routing rules12")
    expect(figures).to_contain_text("$18.")


def test_mailboxes_are_found_while_typing(page: Page) -> None:
    page.get_by_role("link", name="Mailboxes").first.click()
    wait_for_sync(page)
    page.get_by_role("searchbox", name="Address, note or tag contains").fill("anna")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"q=anna"))
    page.reload()
    expect(
        page.get_by_role("searchbox", name="Address, note or tag contains")
    ).to_have_value("anna")


def test_a_new_mailbox_opens_with_the_password_that_was_shown(
    page: Page, panel: Panel
) -> None:
    page.goto("/mailboxes/new/")
    page.get_by_label("Domain").select_option("example.org")
    page.get_by_label("Name", exact=True).fill(f"new{TURN}")
    password = page.get_by_label("Password", exact=True).input_value()
    page.get_by_role("button", name="Create").click()
    expect(page.locator("main")).to_contain_text(f"new{TURN}@example.org")
    expect(page.locator("main")).to_contain_text(password)
    sign_in_by_imap(panel, f"new{TURN}@example.org", password).logout()

    page.goto(f"/mailboxes/?q=new{TURN}")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.locator("body")).not_to_contain_text(password)


def test_a_mailbox_that_exists_is_refused_at_its_field(page: Page) -> None:
    page.goto("/mailboxes/new/")
    page.get_by_label("Domain").select_option("example.org")
    page.get_by_label("Name", exact=True).fill("anna")
    page.get_by_role("button", name="Create").click()
    wrong = page.locator("[aria-invalid=true]")
    expect(wrong).to_have_value("anna")
    expect(wrong).to_be_focused()


def test_a_mailbox_is_planned_copied_left_and_found_complete(
    page: Page, panel: Panel
) -> None:
    add_server(page, panel, f"Old provider {TURN}")
    fill_job(
        page, panel, f"Old provider {TURN}", "anna@example.org", "not-the-password"
    )
    expect(page.locator(".field .error")).to_contain_text("refused this password")
    plan(page, panel, f"Old provider {TURN}", "anna@example.org")
    expect(page.locator("main")).to_contain_text("1 500")

    url = page.url
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.goto("/")  # leaves in the middle
    page.goto(url)
    expect(page.locator("h1")).to_contain_text("Complete", timeout=60_000)
    expect(page.locator("main")).to_contain_text("both sides were counted and agree")

    # The password is gone with the complete copy. Nothing is copied twice.
    page.get_by_role("button", name="Run again").click()
    page.get_by_label("Password of the old mailbox").fill(
        panel.sandbox["source_password"]
    )
    page.get_by_role("button", name="Save and run again").click()
    expect(page.locator("h1")).to_contain_text("Complete", timeout=60_000)
    figures = page.locator(".figures")
    expect(figures).to_contain_text("There already1 500")
    expect(figures).to_contain_text("Copied0")


def test_the_copy_can_be_stopped_while_it_runs(page: Page, panel: Panel) -> None:
    add_server(page, panel, f"Again {TURN}")
    plan(page, panel, f"Again {TURN}", "clara@example.org")
    page.get_by_role("button", name="Run it").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("h1")).to_contain_text("Stopped", timeout=15_000)


def test_the_audit_list_has_seen_it_all(page: Page) -> None:
    page.get_by_role("link", name="Audit").click()
    main = page.locator("main")
    for words in (f"created the mailbox new{TURN}@example.org", "added the server"):
        expect(main).to_contain_text(words)
    for words in ("finished the copy", "stopped the copy", "app password"):
        expect(main).to_contain_text(words)
