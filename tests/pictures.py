"""Takes the pictures of the README from a panel with its demo account.

`python -m tests.pictures` writes them to `.github/pictures`, from nothing that is on this
machine: everything in them was made up by the demo account.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from purelymanage.environment import BASE_DIR
from purelymanage.purelymail.sandbox.demo_mail import password_of
from purelymanage.quickstart.environment import OWNED
from tests.browser.conftest import ARGUMENTS, wait_for_sync
from tests.panel import Panel, running_panel
from tests.requirements import require_program
from tests.visitor import Visitor

FOLDER = BASE_DIR / ".github" / "pictures"
MOST_BYTES = 200_000
DESK = (1280, 800)
PHONE = (390, 844)
SERVER = "Old provider"
HOST = "old-provider.example"
COPIES = [
    ("info", "press@example.org"),
    ("ben", "support@example.org"),
    ("anna", "anna@example.org"),
    ("anna", "clara@example.org"),
    ("ben", "orders@shop.example"),
]
SHOWN = re.compile(r'name="shown" value="([^"]+)"')
SIGNATURE = b"\x89PNG\r\n\x1a\n"
# A month in which the credit went down a little each day.
CREDIT = """
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from purelymanage.dashboard.models import CreditReading
newest = CreditReading.objects.order_by("-read_at")[0]
CreditReading.objects.bulk_create(
    CreditReading(
        amount=newest.amount + Decimal(day * 31 + day * day % 17) / 100,
        read_at=timezone.now() - timedelta(days=day),
    )
    for day in range(1, 31)
)
"""


@dataclass
class Studio:
    """A panel with something to see in it, and somebody who is signed in."""

    panel: Panel
    browser: Browser
    visitor: Visitor
    page: Page
    server: str


def dashboard(studio: Studio) -> Page:
    page = studio.page
    page.goto("/")
    wait_for_sync(page)
    return page


def domains(studio: Studio) -> Page:
    page = studio.page
    page.goto("/domains/shop.example/")
    wait_for_sync(page)
    return page


def rule(studio: Studio) -> Page:
    """Begin a rule by hand, so that what it would do stands beside it."""
    page = studio.page
    page.goto("/routing/new/?domain=shop.example&name=repairs")
    targets = page.get_by_role("combobox", name="Targets")
    targets.fill("service-desk@shop.example workshop@partner.example ")
    foreseen = page.locator("#rule-preview")
    expect(foreseen).to_contain_text("workshop@partner.example is outside")
    page.get_by_role("heading", level=1).click()
    return page


def batch(studio: Studio) -> Page:
    """Begin a batch and look at it while its larger mailboxes are copied."""
    page, visitor = studio.page, studio.visitor
    rows = [f"{who}@{HOST},{password_of(f'{who}@{HOST}')},{to}" for who, to in COPIES]
    rows.append(f"ben@{HOST},not-its-password,jobs@example.org")
    table = "\n".join(["source,password,destination", *rows])
    columns = visitor.post("/migrations/import/", server=studio.server, table=table)
    chosen = {"column0": "address", "column1": "password", "column2": "destination"}
    draft = visitor.post(path_of(studio, columns.url), **chosen)
    shown = SHOWN.search(draft.text)
    assert shown, "There is no draft."
    at = path_of(studio, draft.url)
    path = at.removesuffix("draft/")
    form = {"shown": shown[1], "name": "Move to PurelyMail", "priority": "0"}
    visitor.post(f"{path}confirm/", at=at, **form)
    visitor.wait_for(path, f"Run {len(COPIES)} plans")
    page.goto(path)
    page.get_by_role("button", name=f"Run {len(COPIES)} plans").click()
    states = page.locator(".legend")
    expect(states).to_contain_text(re.compile(r"Complete\s*[2-4]"), timeout=120_000)
    expect(page.locator("main tbody progress").first).to_be_visible(timeout=60_000)
    return page


def form(studio: Studio) -> Page:
    """Begin a campaign and open its link as one of its people does."""
    page = studio.page
    page.goto("/migrations/campaigns/new/")
    page.get_by_label("Name", exact=True).fill("Autumn move")
    page.get_by_label("Old server").select_option(label=SERVER)
    page.get_by_label("Domain", exact=True).select_option("shop.example")
    page.get_by_label("Who asks").fill("Shop & Co.")
    page.get_by_label("Whom owners ask").fill("help@shop.example")
    page.get_by_role("button", name="Open the campaign").click()
    link = page.locator(".ways .link").first.inner_text()
    width, height = PHONE
    phone = studio.browser.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
    )
    phone.goto(link)
    phone.get_by_label("Your mailbox today").fill(f"anna@{HOST}")
    phone.get_by_label("Its password").fill("a" * 14)
    return phone


# In this order, as a copy changes what the dashboard says.
PICTURES: dict[str, tuple[Callable[[Studio], Page], str]] = {
    "domain": (domains, "light"),
    "rule": (rule, "light"),
    "batch": (batch, "dark"),
    "dashboard": (dashboard, "light"),
    "form": (form, "light"),
}


def path_of(studio: Studio, url: str) -> str:
    return url.removeprefix(studio.panel.url)


def finish_setup(visitor: Visitor) -> None:
    """Have the token tried and put off the rest of what a new panel asks for."""
    visitor.post("/setup/token/", at="/setup/")
    for step in ("import", "factor", "mail"):
        visitor.post(f"/setup/later/{step}/", at="/setup/")
    visitor.post("/setup/finish/", at="/setup/")


def write_credit(panel: Panel) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", CREDIT],
        cwd=panel.folder,
        env={name: value for name, value in os.environ.items() if name not in OWNED},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def sign_in(browser: Browser, panel: Panel) -> Page:
    width, height = DESK
    page = browser.new_page(
        base_url=panel.url,
        reduced_motion="reduce",
        viewport={"width": width, "height": height},
    )
    page.goto("/")
    page.get_by_label("E-mail address").fill(panel.email)
    page.get_by_label("Password").fill(panel.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    return page


def smaller(picture: bytes) -> bytes:
    """Return the same picture, packed as tightly as zlib can."""
    chunks, place = [], len(SIGNATURE)
    while place < len(picture):
        (length,) = struct.unpack_from(">I", picture, place)
        kind = picture[place + 4 : place + 8]
        chunks.append((kind, picture[place + 8 : place + 8 + length]))
        place += length + 12
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    head = next(data for kind, data in chunks if kind == b"IHDR")
    parts = [
        (b"IHDR", head),
        (b"IDAT", zlib.compress(pixels, 9)),
        (b"IEND", b""),
    ]
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def take(studio: Studio, name: str) -> None:
    look, theme = PICTURES[name]
    page = look(studio)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    picture = smaller(page.screenshot(animations="disabled", caret="hide"))
    assert len(picture) < MOST_BYTES, f"{name} has {len(picture)} bytes."
    path = FOLDER / f"{name}.png"
    path.write_bytes(picture)
    sys.stdout.write(f"{path.relative_to(BASE_DIR)}  {len(picture) / 1000:.0f} kB\n")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="purelymanage-pictures-") as folder,
        sync_playwright() as playwright,
    ):
        # Root's PostgreSQL works as another user, who has to pass through.
        Path(folder).chmod(0o711)
        program = require_program("chromium", "chromium-browser", "google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        with running_panel(Path(folder)) as panel, Visitor(panel) as visitor:
            server = visitor.add_server(SERVER)
            finish_setup(visitor)
            write_credit(panel)
            page = sign_in(browser, panel)
            studio = Studio(panel, browser, visitor, page, server)
            for name in PICTURES:
                take(studio, name)
        browser.close()


if __name__ == "__main__":
    main()
