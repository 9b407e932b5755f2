"""Rules as somebody sees them who clicks through: each kind, its warnings, its end."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys

import pytest
from playwright.sync_api import Locator, Page, expect

from purelymanage.quickstart.environment import OWNED
from tests.browser.conftest import wait_for_sync
from tests.browser.test_accessibility import check
from tests.panel import Panel

pytestmark = pytest.mark.slow

# So that the test can be run again on the same panel.
TURN = f"x{secrets.token_hex(3)}"
MAIN = "main"


def begin(page: Page, kind: str, domain: str, name: str = "") -> Locator:
    """Fill in which mail is meant, and return the field for its targets."""
    page.goto("/routing/")
    page.get_by_role("link", name="New rule").click()
    page.get_by_role("radio", name=kind, exact=True).check()
    page.get_by_label("Domain", exact=True).select_option(domain)
    if name:
        page.get_by_role("textbox", name=re.compile("Name|Begins with")).fill(name)
    return page.get_by_role("combobox", name="Targets")


def let_time_pass(panel: Panel) -> None:
    """Carry out what waits, as if its day had passed."""
    code = (
        "from django.utils import timezone as t\n"
        "from purelymanage.deletions.models import PendingDeletion as P\n"
        "from purelymanage.deletions.operations.execution import execute_due\n"
        "rules, now = P.objects.filter(kind='rule', state='waiting'), t.now()\n"
        "rules.update(delete_after=now, warned_at=now)\n"
        "list(execute_due(seconds=60))"
    )
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        cwd=panel.folder,
        env={name: value for name, value in os.environ.items() if name not in OWNED},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=30,
    )


def create(page: Page) -> None:
    page.get_by_role("button", name="Create the rule").click()


def created(page: Page, pattern: str) -> None:
    expect(page.locator(MAIN).get_by_role("heading", level=1)).to_have_text(pattern)
    expect(page.get_by_text(f"The rule for {pattern} is in force.")).to_be_visible()


def test_rules_of_each_kind_are_made_and_warned_of(page: Page) -> None:
    wait_for_sync(page)
    foreseen = page.locator("#rule-preview")

    # One address: by the keys alone, and told while it is written.
    targets = begin(page, "Exact address", "shop.example", f"{TURN}desk")
    targets.press_sequentially("orders@sh")
    expect(page.get_by_role("option", name="orders@shop.example")).to_be_visible()
    targets.press("ArrowDown")
    targets.press("Enter")
    targets.press_sequentially("wrong@else.example,")
    targets.press("Backspace")
    targets.press_sequentially("ext@else.example")
    expect(foreseen).to_contain_text("goes to orders@shop.example.")
    targets.press("Enter")
    expect(foreseen).to_contain_text("ext@else.example is outside this account.")
    expect(foreseen).not_to_contain_text("wrong@")
    create(page)
    created(page, f"{TURN}desk@shop.example")

    # A beginning, with a target that is not there.
    targets = begin(page, "Any address starting with", "shop.example", TURN)
    targets.fill(f"nobody{TURN}@shop.example ")
    expect(foreseen).to_contain_text("Stronger rules come before it")
    create(page)
    expect(foreseen).to_contain_text("is no mailbox, and no rule sends its mail on")
    page.get_by_role("button", name="Save all the same").click()
    created(page, f"{TURN}*@shop.example")

    # Whatever has no mailbox; a second one of its kind is refused.
    targets = begin(page, "Any address except mailboxes", "example.org")
    targets.fill("anna@example.org ")
    create(page)
    expect(foreseen).to_contain_text("There is a rule for any address without")
    page.get_by_role("link", name="Add these targets to that rule").click()
    chips = page.locator(".chip-box li")
    expect(chips).to_contain_text(["info@example.org", "anna@example.org"])

    # Any address: the whole domain goes silent, so its name has to be typed.
    targets = begin(page, "Any address", "shop.example")
    targets.fill("orders@shop.example ")
    create(page)
    expect(foreseen).to_contain_text("mailboxes of shop.example get no mail")
    page.get_by_role("button", name="Save all the same").click()
    expect(page.get_by_text("Type shop.example here, nothing else.")).to_be_visible()
    # Only filled in, so that other tests find the domain as it was.
    page.get_by_label("Type shop.example to confirm").fill("shop.example")


def test_a_mailbox_keeps_a_copy_and_its_rule_comes_back(
    page: Page, panel: Panel
) -> None:
    foreseen = page.locator("#rule-preview")
    targets = begin(page, "Exact address", "shop.example", "accounts")
    targets.fill("ext@else.example ")
    expect(foreseen).to_contain_text("is a mailbox, but this rule takes all")
    foreseen.get_by_label("Keep a copy").check()
    expect(foreseen).to_contain_text("and accounts@shop.example.")
    expect(foreseen).not_to_contain_text("is a mailbox, but")
    create(page)
    created(page, "accounts@shop.example")

    page.get_by_role("link", name="Follow a mail").click()
    expect(page.locator(MAIN)).to_contain_text("ext@else.example")
    page.go_back()
    page.get_by_role("link", name="Edit").click()
    assert check(page, page.url) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.locator(".chip-box li")).to_have_text("ext@else.example")
    expect(foreseen.get_by_label("Keep a copy")).to_be_checked()
    page.get_by_role("link", name="Cancel").click()

    page.get_by_role("link", name="Delete…").click()
    expect(page.locator(MAIN)).to_contain_text("It is still delivered to the mailbox")
    page.get_by_role("button", name=re.compile("^Delete in")).click()
    page.goto("/routing/?q=accounts@shop.example")
    expect(page.locator("#rule-list")).to_contain_text("Deleted in")

    page.get_by_role("link", name="accounts@", exact=True).click()
    let_time_pass(panel)
    page.reload()
    expect(page.locator(MAIN)).to_contain_text("It was deleted here.")
    # The calls of all this are made one a second at most.
    page.get_by_role("button", name="Create again").click(timeout=20_000)
    page.goto("/routing/?q=accounts@shop.example")
    expect(page.locator("#rule-list")).to_contain_text("by owner@example.org")
    expect(page.locator("#rule-list")).not_to_contain_text("Deleted in")
