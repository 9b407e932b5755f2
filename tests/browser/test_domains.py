"""A domain is added, breaks and is mended, as somebody sees it who clicks through."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from purelymanage.quickstart.environment import OWNED
from tests.panel import Panel

pytestmark = pytest.mark.slow

# Milliseconds for what workers do, who may be busy.
PATIENCE = 40_000
# So that the test can be run again on the same panel.
NAME = f"later-{secrets.token_hex(3)}.example"


def set_zone(panel: Panel, **body: Any) -> None:
    data = json.dumps({"zone": NAME, **body}).encode()
    url = f"{panel.sandbox['api_url']}/sandbox/zones"
    urllib.request.urlopen(urllib.request.Request(url, data), timeout=5).close()  # noqa: S310  # loopback


def look(panel: Panel) -> None:
    """Look at once, as an operator can, whenever somebody looked last."""
    subprocess.run(
        [sys.executable, "manage.py", "recheck_dns", NAME],
        cwd=panel.folder,
        env={name: value for name, value in os.environ.items() if name not in OWNED},
        stdout=subprocess.DEVNULL,
        check=False,  # it says by its code that something is broken
        timeout=60,
    )


def test_a_domain_is_added_breaks_and_is_mended(page: Page, panel: Panel) -> None:
    set_zone(panel, preset="bare")
    set_zone(panel, preset="healthy", after=3)
    page.goto("/domains/")
    page.get_by_role("link", name="Add domain").click()
    page.get_by_label("Domain", exact=True).fill(f"https://{NAME.upper()}/")
    proof = page.locator("#proof")
    expect(proof).to_contain_text("Not visible yet")
    expect(proof).to_contain_text("You can add the domain now.", timeout=PATIENCE)
    page.get_by_role("button", name="Add now").click()

    main = page.locator("main")
    expect(main.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(main).to_contain_text("Getting this domain going")
    # What is new is looked at without being asked for.
    expect(main).to_contain_text("Healthy", timeout=PATIENCE)
    expect(main.get_by_role("switch", name="Account recovery")).not_to_be_checked()

    set_zone(panel, preset="broken")
    page.get_by_role("button", name="Check now").click()
    expect(main).to_contain_text("SPF and DKIM are not right", timeout=PATIENCE)
    expect(main).to_contain_text("2 records have to be set: SPF and DKIM key 3.")
    expect(main).to_contain_text("Seen once to have changed")
    expect(main).to_contain_text("key3.dkimroot.purelymail.com")
    page.goto("/")
    expect(main.get_by_role("region", name="Needs you")).to_contain_text(NAME)

    set_zone(panel, preset="healthy")
    look(panel)
    page.goto(f"/domains/?q={NAME}")
    expect(main.get_by_role("row", name=NAME)).to_contain_text("Healthy")
    page.get_by_role("link", name=NAME).click()
    expect(main.locator("#changes")).to_contain_text("SPF changed")
