"""axe finds nothing on any page, in either theme, on a desk and on a phone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.conftest import signed_in
from tests.panel import Panel
from tests.visitor import Visitor

pytestmark = pytest.mark.slow

PATHS = [
    "/",
    "/mailboxes/",
    "/mailboxes/?q=nobody-has-this",
    "/mailboxes/new/",
    "/mailboxes/import/",
    "/mailboxes/bulk/",
    "/mailboxes/anna@example.org/",
    "/mailboxes/anna@example.org/rename/?local_part=annie&domain=example.org",
    "/mailboxes/anna@example.org/app-passwords/new/",
    "/mailboxes/anna@example.org/recovery/",
    "/mailboxes/sales@example.org/two-factor/on/",
    "/mailboxes/anna@example.org/suspend/",
    "/mailboxes/anna@example.org/notes/",
    "/mailboxes/anna@example.org/reset-password/",
    "/domains/",
    "/domains/?state=unseen",
    "/domains/shop.example/",
    "/domains/shop.example/subaddressing/",
    "/domains/add/",
    "/domains/add/?name=unproven.example",
    "/routing/",
    "/routing/new/?name=info&domain=example.org&targets=x@y.example",
    "/routing/bulk/",
    "/routing/import/",
    "/routing/snapshots/",
    "/routing/snapshots/compare/",
    "/routing/template/",
    "/routing/simulator/",
    "/routing/simulator/?address=postmaster%2Bx@example.org",
    "/routing/simulator/?mailbox=info@example.org",
    "/migrations/",
    "/migrations/servers/",
    "/migrations/servers/new/",
    "/migrations/jobs/new/",
    "/migrations/import/",
    "/audit/",
    "/notices/",
    "/settings/notifications/",
    "/deletions/",
    "/deletions/new/domain/shop.example/",
    "/accounts/password/change/",
    "/accounts/reauthenticate/",
    "/accounts/2fa/",
    "/accounts/2fa/app/add/",
    "/accounts/2fa/passkeys/",
    "/accounts/2fa/passkeys/add/",
    "/settings/",
    "/settings/health/",
    "/settings/organisation/",
    "/settings/people/",
    "/settings/people/1/",
    "/settings/people/invite/",
    "/settings/sessions/",
    "/nowhere/",
]
STRANGERS = [
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accounts/signup/",
    "/accounts/invitation/made-up/",
    "/welcome/made-up/",
]
WIDTHS = [1280, 390]
THEMES = ["light", "dark"]
# The dark theme is another set of colours and nothing else.
ALL: dict[str, Any] = {"resultTypes": ["violations"]}
ABOUT_COLOURS = ["color-contrast", "link-in-text-block"]
COLOURS = ALL | {"runOnly": {"type": "rule", "values": ABOUT_COLOURS}}
RULES = {"light": ALL, "dark": COLOURS}
RUN = "options => axe.run(options).then(found => found.violations)"


@pytest.fixture(scope="module")
def opened(
    browser: Browser, panel: Panel, session: dict[str, StorageState]
) -> Iterator[tuple[Page, list[str]]]:
    with signed_in(browser, panel, session) as opened:
        yield opened


@pytest.fixture
def page(opened: tuple[Page, list[str]]) -> Iterator[Page]:
    """Return the same page to each test, which goes where it wants to."""
    page, wrong = opened
    wrong.clear()
    yield page
    assert not wrong


def check(page: Page, path: str) -> list[str]:
    """Return what is wrong with a page at each width and in each theme."""
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.emulate_media(color_scheme="light")
    page.goto(path)
    page.evaluate(AXE_SCRIPT)
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        overflow = page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        if overflow:
            wrong.append(f"{path} at {width} px scrolls sideways")
        for theme in THEMES:
            page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            found = page.evaluate(RUN, RULES[theme])
            wrong += [
                f"{path} at {width} px, {theme}: {it['help']}: "
                f"{[node['target'] for node in it['nodes']][:3]}"
                for it in found
            ]
    return wrong


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(page: Page, path: str) -> None:
    assert check(page, path) == []


@pytest.mark.parametrize("path", STRANGERS)
def test_axe_finds_nothing_before_signing_in(
    browser: Browser, panel: Panel, path: str
) -> None:
    context = browser.new_context(base_url=panel.url, reduced_motion="reduce")
    assert check(context.new_page(), path) == []
    context.close()


def test_axe_finds_nothing_on_a_job(page: Page, panel: Panel) -> None:
    with Visitor(panel) as visitor:
        server = visitor.add_server(f"Provider {secrets.token_hex(3)}")
        path = visitor.plan_copy(server, "rosa@example.org")
        assert check(page, path) == []
        visitor.post(f"{path}run/", at=path, kind="copy")
        assert check(page, path) == []
        visitor.wait_for(path, "both sides were counted and agree")
    assert check(page, path) == []
