"""Two browsers of one person: what one ends, the other notices at its next step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, wait_for_sync
from tests.panel import Panel

pytestmark = pytest.mark.slow

SIGN_IN = re.compile(r"/accounts/login/")


@pytest.fixture
def phone(browser: Browser, panel: Panel) -> Iterator[Page]:
    """Return a page of the same person in a browser of its own."""
    context = browser.new_context(
        base_url=panel.url, user_agent="Firefox/133.0 (Android 15; Mobile)"
    )
    context.set_default_timeout(PATIENCE)
    phone = context.new_page()
    phone.goto("/accounts/login/?next=/mailboxes/")
    phone.get_by_label("E-mail address").fill(panel.email)
    phone.get_by_label("Password").fill(panel.password)
    phone.get_by_role("button", name="Sign in").click()
    phone.wait_for_url("**/mailboxes/")
    wait_for_sync(phone)  # or it asks again, and notices before its next step
    yield phone
    context.close()


def end_phone(page: Page) -> None:
    page.goto("/settings/sessions/")
    rows = page.get_by_role("row").filter(has_text="Firefox on Android")
    before = rows.count()
    rows.first.get_by_role("button", name="End").click()
    expect(rows).to_have_count(before - 1)


def test_the_other_is_out_at_its_next_page(page: Page, phone: Page) -> None:
    end_phone(page)
    phone.get_by_role("link", name="Domains").click()
    expect(phone).to_have_url(SIGN_IN)
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/domains/")
    expect(page.get_by_role("heading", name="Domains")).to_be_visible()


def test_the_other_is_out_at_its_next_part_of_a_page(page: Page, phone: Page) -> None:
    end_phone(page)
    phone.fill("main input[name=q]", "anna")  # asks by htmx while one types
    expect(phone).to_have_url(SIGN_IN)
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()


def test_all_others_end_at_once(page: Page, phone: Page) -> None:
    page.goto("/settings/sessions/")
    page.get_by_role("button", name="End all others").click()
    expect(page.locator("main tbody tr")).to_have_count(1)
    expect(page.locator("main tbody tr")).to_contain_text("This browser")
    phone.reload()
    expect(phone).to_have_url(SIGN_IN)


def test_a_passkey_is_made_used_and_removed(page: Page, panel: Panel) -> None:
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto("/accounts/2fa/passkeys/add/")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)

    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/domains/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Domains")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(panel.email)
    page.get_by_label("Password").fill(panel.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    page.goto("/accounts/2fa/passkeys/")
    page.get_by_role("link", name="Remove Passkey").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("heading", name="No passkey yet")).to_be_visible()
