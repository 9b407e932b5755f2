"""The pages of a batch, from its draft to its report, as axe and a double click see them."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.browser.test_accessibility import check
from tests.panel import Panel
from tests.visitor import Visitor

pytestmark = pytest.mark.slow

RIGHT, WRONG = "info@old-provider.example", "ben@old-provider.example"
TABLE = f"""source,password,destination
{RIGHT},{password_of(RIGHT)},orders@shop.example
{WRONG},not-its-password,sales@example.org
{WRONG},not-its-password,nobody@nowhere.example
"""
SHOWN = re.compile(r'name="shown" value="([^"]+)"')


def import_batch(visitor: Visitor, server: str) -> str:
    """Upload the table and return the path of its draft."""
    answer = visitor.post("/migrations/import/", server=server, table=TABLE)
    columns = urlsplit(answer.url).path
    chosen = {"column0": "address", "column1": "password", "column2": "destination"}
    return urlsplit(visitor.post(columns, **chosen).url).path


def test_axe_finds_nothing_on_a_batch(page: Page, panel: Panel) -> None:
    with Visitor(panel) as visitor:
        server = visitor.add_server(f"Provider {secrets.token_hex(3)}")
        draft = import_batch(visitor, server)
        assert check(page, draft) == []
        shown = SHOWN.search(visitor.get(draft).text)
        assert shown
        path = draft.replace("draft/", "")
        form = {"shown": shown[1], "name": "Autumn move", "priority": "0"}
        visitor.post(f"{path}confirm/", at=draft, **form)
        visitor.wait_for(path, "Run 1 plan")
        visitor.wait_for(path, "Not let in")
        assert check(page, path) == []
        assert check(page, f"{path}report/") == []

        assert check(page, f"{path}passwords/") == []
        rows = f"{WRONG},another\nnobody@old-provider.example,another"
        table = visitor.post(f"{path}passwords/", table=rows)
        assert "1 mailbox of this batch gets a new password" in table.text
        assert check(page, urlsplit(table.url).path) == []

    assert check(page, f"/migrations/servers/{server}/") == []
    assert check(page, f"/migrations/servers/{server}/remove/") == []
    expect(page.get_by_text("This server is still needed.")).to_be_visible()
    assert check(page, "/migrations/queue/") == []


def test_a_double_click_pauses_the_queue(page: Page) -> None:
    page.goto("/migrations/")
    controls = page.locator("#queue-controls")
    controls.get_by_role("button", name="Paused").dblclick()
    expect(controls).to_contain_text("The queue is paused")
    # The second click has come to where the first one was.
    controls.get_by_role("button", name="Paused").click()
    expect(controls).to_contain_text("The queue is paused")
    controls.get_by_role("button", name="Active").click()
    expect(controls).to_contain_text("The queue is working")
