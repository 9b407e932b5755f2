"""axe finds nothing on any page, in either theme, on a desk and on a phone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, StorageState, expect

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
    "/setup/",
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
# Nothing on the way from a phone to a wide screen may make a page scroll sideways.
BETWEEN = [1920, 768]
# The dark theme is another set of colours and nothing else.
ALL: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
ABOUT_COLOURS = ["color-contrast", "link-in-text-block"]
COLOURS = ALL | {"runOnly": {"type": "rule", "values": ABOUT_COLOURS}}
RULES = {"light": ALL, "dark": COLOURS}
RUN = "([part, options]) => axe.run(part, options).then(found => found.violations)"
# The frame is the same around each page: it is looked at once, and takes half the time.
WHOLE: dict[str, Any] = {"exclude": []}
WITHOUT_FRAME: dict[str, Any] = {"exclude": [[".shell"], ["#keys"]]}
OVERFLOWS = (
    "document.documentElement.scrollWidth > document.documentElement.clientWidth"
)
# The focus is to be seen on each control, and goes down the page, or to a column beside.
FOCUS = """() => {
  const controls = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const wrong = [];
  let before = null;
  for (const it of document.querySelectorAll(`main :is(${controls})`)) {
    if (it.closest("tr:nth-child(n + 4)") || !it.checkVisibility({visibilityProperty: true})) continue;
    it.focus({preventScroll: true});
    if (document.activeElement !== it) continue;
    const around = [it, it.parentElement, it.closest("label")].filter(Boolean);
    const styles = [...around.map((e) => getComputedStyle(e)), getComputedStyle(it, "::after")];
    if (!styles.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0))
      wrong.push(`no ring around ${it.outerHTML.slice(0, 90)}`);
    const {top, bottom, left, right} = it.getBoundingClientRect();
    const isBackUp = before && it.type !== "radio" && bottom + scrollY <= before.top + 2 && left < before.right;
    if (it.tabIndex > 0 || isBackUp)
      wrong.push(`the focus goes back up to ${it.outerHTML.slice(0, 90)}`);
    before = {top: top + scrollY, right};
  }
  return wrong;
}"""
# Paper is white in the dark theme as well, and has nothing that one could press.
PAPER = """() => [
  ...[...document.querySelectorAll("button, .button, nav, [role=search]")]
    .filter((it) => it.checkVisibility()).map((it) => `prints ${it.outerHTML.slice(0, 90)}`),
  ...(getComputedStyle(document.documentElement).colorScheme === "light" ? [] : ["prints in the dark"]),
]"""


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


def check(page: Page, path: str, *, part: dict[str, Any] = WITHOUT_FRAME) -> list[str]:
    """Return what is wrong with a page at each width, in each theme and on paper."""
    set_width(page, WIDTHS[0])
    page.emulate_media(color_scheme="light")
    page.goto(path)
    page.evaluate(AXE_SCRIPT)
    wrong = []
    for width in WIDTHS:
        set_width(page, width)
        if page.evaluate(OVERFLOWS):
            wrong.append(f"{path} at {width} px scrolls sideways")
        for theme in THEMES:
            page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            found = page.evaluate(RUN, [part, RULES[theme]])
            wrong += [
                f"{path} at {width} px, {theme}: {it['help']}: "
                f"{[node['target'] for node in it['nodes']][:3]}"
                for it in found
            ]
        page.keyboard.press("Tab")  # from now on, the focus shows
        wrong += [f"{path} at {width} px: {it}" for it in page.evaluate(FOCUS)]
    for width in BETWEEN:
        set_width(page, width)
        if page.evaluate(OVERFLOWS):
            wrong.append(f"{path} at {width} px scrolls sideways")
    page.emulate_media(media="print")
    wrong += [f"{path} {it}" for it in page.evaluate(PAPER)]
    page.emulate_media(media="screen")
    return wrong


def set_width(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(page: Page, path: str) -> None:
    assert check(page, path, part=WHOLE if path == "/" else WITHOUT_FRAME) == []


def test_the_first_tab_leads_past_the_frame(page: Page) -> None:
    page.goto("/domains/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_in_viewport()
    skip.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_the_focus_stays_with_what_is_drawn_anew(page: Page) -> None:
    set_width(page, WIDTHS[0])
    page.goto("/mailboxes/")
    head = page.get_by_role("link", name="Address", exact=True)
    head.press("Enter")
    page.wait_for_url("**sort=-address*")
    expect(head).to_be_focused()


def test_whoever_leaves_a_form_is_where_it_was_opened(page: Page) -> None:
    page.goto("/mailboxes/anna@example.org/")
    part = page.locator("#suspension")
    part.get_by_role("link", name="Suspend").press("Enter")
    expect(page.locator("#suspension-title")).to_be_focused()
    part.get_by_role("link", name="Cancel").press("Enter")
    expect(part.get_by_role("link", name="Suspend")).to_be_focused()


@pytest.mark.parametrize("path", STRANGERS)
def test_axe_finds_nothing_before_signing_in(
    browser: Browser, panel: Panel, path: str
) -> None:
    context = browser.new_context(base_url=panel.url, reduced_motion="reduce")
    assert check(context.new_page(), path, part=WHOLE) == []
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
