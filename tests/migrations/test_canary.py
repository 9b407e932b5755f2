"""No password is to be found anywhere while a mailbox is copied, nor afterwards."""

from __future__ import annotations

import base64
import os
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
from psycopg import sql

from purelymanage.quickstart import environment
from tests.panel import Panel
from tests.visitor import Visitor

pytestmark = pytest.mark.slow

SLOW = 8 * 1024 * 1024  # bytes a second, so that there is time to look around
MAILBOX_PASSWORD = "canary-Aviary-7f3e-perch"
ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{16,}")


def layers(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """Yield data as it is, and what is inside its base64 and zlib, layer by layer."""
    yield data
    if depth == 0:
        return
    for part in ENCODED.findall(data):
        bare = part.replace(b"-", b"+").replace(b"_", b"/")
        whole = bare[: len(bare) - (len(bare) % 4 == 1)]
        inner = base64.b64decode(whole + b"=" * (-len(whole) % 4))
        yield from layers(inner, depth - 1)
        try:
            yield from layers(zlib.decompress(inner), depth - 1)
        except zlib.error:
            continue


def holds(data: bytes, canaries: list[str]) -> bool:
    wanted = [canary.encode() for canary in canaries]
    return any(canary in layer for layer in layers(data) for canary in wanted)


def rows(panel: Panel) -> Iterator[tuple[str, bytes]]:
    """Yield each row of each table of the panel's database as text."""
    url = environment.read(panel.env_file)["DATABASE_URL"]
    with psycopg.connect(url.replace("postgres://", "postgresql://", 1)) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
            for (row,) in connection.execute(query):
                yield table, row.encode()


def processes(panel: Panel) -> Iterator[tuple[str, bytes]]:
    """Yield what the processes of the panel show to others on the machine."""
    here = str(panel.folder).encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            environ = (folder / "environ").read_bytes()
            cmdline = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if here in environ or here in cmdline:
            yield f"environ of {cmdline!r}", environ
            yield f"cmdline of {cmdline!r}", cmdline


def logs(panel: Panel) -> Iterator[tuple[str, bytes]]:
    for path in (panel.folder / "var" / "log").iterdir():
        yield path.name, path.read_bytes()


class Lookout(threading.Thread):
    """Looks at the processes and the database again and again."""

    def __init__(self, panel: Panel, canaries: list[str]) -> None:
        super().__init__()
        self.panel, self.canaries = panel, canaries
        self.finished = threading.Event()
        self.found: set[str] = set()
        self.seen: set[str] = set()

    def run(self) -> None:
        while not self.finished.wait(0.3):
            for place, data in (*processes(self.panel), *rows(self.panel)):
                self.seen.add(place)
                if holds(data, self.canaries):
                    self.found.add(place)


def test_the_search_finds_what_is_hidden_in_layers() -> None:
    hidden = base64.b64encode(zlib.compress(b"xx" + MAILBOX_PASSWORD.encode()))
    signed = b'("' + base64.urlsafe_b64encode(hidden) + b':signature")'
    assert holds(signed, [MAILBOX_PASSWORD])
    assert not holds(signed, ["another-canary"])


def test_no_password_is_anywhere(panel: Panel) -> None:
    source = panel.sandbox
    canaries = [
        source["source_password"],
        MAILBOX_PASSWORD,
        panel.password,
        source["api_token"],
    ]
    lookout = Lookout(panel, canaries)
    lookout.start()
    api = panel.sandbox["api_url"]
    requests.post(f"{api}/sandbox/imap", json={"source_rate": SLOW}, timeout=10)
    try:
        with Visitor(panel) as visitor:
            pages = walk(visitor, source)
    finally:
        lookout.finished.set()
        lookout.join()

    assert any("cmdline" in place and "qcluster" in place for place in lookout.seen)
    assert "migrations_run" in lookout.seen
    assert lookout.found == set()
    places = (*rows(panel), *logs(panel), *pages)
    assert [place for place, data in places if holds(data, canaries)] == []


def walk(visitor: Visitor, source: dict[str, str]) -> list[tuple[str, bytes]]:
    """Create a mailbox, copy into it, and return the pages that one sees then."""
    address = f"canary{os.urandom(3).hex()}@example.org"
    created = visitor.post(
        "/mailboxes/new/",
        local_part=address.partition("@")[0],
        domain="example.org",
        password=MAILBOX_PASSWORD,
        reset_allowed="on",
    )
    # The one place that shows it, once.
    assert MAILBOX_PASSWORD in created.text

    server = visitor.add_server(f"Provider of {address}")
    job = {"server": server, "source_user": source["source_user"]}
    wrong = visitor.post(
        "/migrations/jobs/new/", password="not-it", destination=address, **job
    )
    assert wrong.status_code == 422
    path = visitor.plan_copy(server, address)
    pages = [wrong.text, visitor.get(path).text]
    visitor.post(f"{path}run/", at=path, kind="copy")
    pages.append(visitor.wait_for(path, "Copying"))
    pages.append(visitor.wait_for(path, "both sides were counted and agree"))
    paths = (f"{path}log/", "/", "/mailboxes/", "/migrations/", "/audit/")
    pages += [visitor.get(shown).text for shown in paths]
    return [(f"page {number}", page.encode()) for number, page in enumerate(pages)]
