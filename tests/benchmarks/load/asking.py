"""What the panel is asked for: each of its addresses, and what these ask for in turn.

Whatever answers to GET is found through the URL resolver. Where htmx gets a part, that
is asked for as well, and so is whatever a page asks for by itself while one looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import get_resolver

from purelymanage.accounts.models import User
from purelymanage.call_depth import with_room
from tests.cast import HTMX
from tests.live import MOVES
from tests.proof import prove
from tests.routes import ROUTES
from tests.test_permissions import names

LEFT_OUT = {"account_logout": "it ends the session that asks"}
# Beside each as it is: searched, filtered, far from the beginning, or another row.
FURTHER = {
    "entry-list": ("?q=box77", "?target=box77@firm77.example", "?page=2"),
    "deletions:deletion-list": ("?q=box1",),
    "deletions:request-bulk": (
        "?" + "&".join(f"key=box{n}0@example.org" for n in range(3, 53)),
    ),
    "domains:domain-list": ("?q=firm7", "?view=table"),
    "mailboxes:mailbox-list": ("?q=box77", "?tag=sales", "?page=100"),
    "mailboxes:bulk-detail": ("?page=50", "?state=done"),
    "routing:rule-list": ("?q=alias77", "?page=50"),
    "migrations:job-list": ("?q=box77",),
    "migrations:job-detail": ("{running}",),
    "migrations:run-detail": ("{run}",),
    "migrations:batch-detail": ("?q=box77", "?state=queued", "?page=150"),
    "migrations:batch-report": ("?page=40",),
    "migrations:batch-draft": ("?page=15",),
    "migrations:password-table": ("?page=15",),
    "migrations:campaign-detail": ("?q=box77", "?page=30"),
}
NEWS = re.compile(
    r'<[^>]*hx-get="([^"]*)"[^>]*'
    r'hx-trigger="(?:[^"]*every \d+s|load|toggle|(?:moved|looked|synced) from)[^>]*>'
)


@dataclass(frozen=True)
class Ask:
    name: str = field(compare=False)
    path: str
    is_part: bool = False  # htmx asks
    is_open: bool = False  # whoever asks has not signed in


def forget_limits() -> None:
    """Forget how often somebody has asked, and all else but what workers prepare."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cache WHERE cache_key NOT LIKE '%%:verdicts%%'", [])


class Browser:
    """Asks as one owner who has proven to be that, or as nobody."""

    def __init__(self, owner: User) -> None:
        self.owners = Client(raise_request_exception=False)
        self.owners.force_login(owner)
        self.strangers = Client(raise_request_exception=False)

    def make_ready(self, ask: Ask) -> None:
        forget_limits()
        if not ask.is_open:
            prove(self.owners)

    def get(self, ask: Ask) -> Any:
        client = self.strangers if ask.is_open else self.owners
        # As the web server does: it matters how deep a page is called from.
        get = with_room(client.get)
        return get(ask.path, headers=dict(HTMX) if ask.is_part else None)


def asks_of_all(browser: Browser, only: str, rows: dict[str, str]) -> Iterator[Ask]:
    """Yield what there is to ask for; `rows` fills the addresses of further ones."""
    known = sorted(names(get_resolver().url_patterns))
    if known != sorted(ROUTES):
        raise SystemExit("The table of routes has not all that the panel answers to.")
    for name, route in ROUTES.items():
        if name in LEFT_OUT or only not in name:
            continue
        further = (it.format(**rows) for it in FURTHER.get(name, ()))
        for path in (
            route.path,
            *(route.path + it if it.startswith("?") else it for it in further),
        ):
            ask = Ask(name, path)
            browser.make_ready(ask)
            answer = browser.get(ask)
            if answer.status_code == 302 and route.is_open:
                ask = Ask(name, path, is_open=True)
            yield ask
            if answer.status_code != 200 or answer.streaming:
                continue
            yield from _in_turn(ask, browser, answer.content.decode(errors="replace"))


def _in_turn(ask: Ask, browser: Browser, page: str) -> Iterator[Ask]:
    """Yield the part that htmx gets, and what the page asks for by itself."""
    if "<html" not in page:
        return
    part = Ask(ask.name, ask.path, is_part=True)
    if "<html" not in browser.get(part).content.decode():
        yield part
    here, _, query = ask.path.partition("?")
    for found in dict.fromkeys(NEWS.findall(page)):
        path = unescape(found) or f"?{query}"
        path = path if path.startswith("/") else here + path
        if "/batches/" in path and path.partition("?")[0] != here:
            path += "".join(f"&row={key}" for key in MOVES.findall(page))
        yield Ask(f"{ask.name} news", path, is_part=True)
