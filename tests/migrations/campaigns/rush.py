"""Many people at the form of a running panel at the same moment."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import psycopg
import requests

from purelymanage.quickstart import environment
from tests.imap.dovecot import Dovecot
from tests.imap.proxy import Proxy
from tests.panel import Panel
from tests.visitor import TOKEN, Visitor

WARM = 8  # times that each page was shown before
GIVES_WAY = 10  # as nice as a crowd is
PASSWORD = "of-this-one-{}"
OVERLOADED = 503
MOST_REPEATED = 5
LINK = re.compile(r"/gather/[\w-]+/")
SERVER = re.compile(r'name="server" value="(\w+)"')
CAMPAIGN = re.compile(r"/migrations/campaigns/\d+/")


class SlowDovecot(Dovecot):
    """Takes a second for each sign-in that is right, until it is told to hurry."""

    def __enter__(self) -> Self:
        self._scripts = Path(tempfile.mkdtemp(prefix="slow-sign-in-"))
        self._scripts.chmod(0o755)
        self._slows_down = self._scripts / "slows-down"
        self._slows_down.touch()
        script = self._scripts / "slowly"
        script.write_text(
            f'#!/bin/sh\n[ -e {self._slows_down} ] && sleep 1\nexec "$@"\n'
        )
        script.chmod(0o755)
        self.extra = (
            "service imap {\n  executable = imap slowly\n  process_limit = 64\n}\n"
            "service slowly {\n"
            f"  executable = script-login {script}\n"
            "  process_limit = 64\n  unix_listener slowly {\n    mode = 0666\n  }\n}\n"
        )
        return super().__enter__()

    def hurry(self) -> None:
        self._slows_down.unlink()

    def __exit__(self, *details: Any) -> None:
        super().__exit__(*details)
        shutil.rmtree(self._scripts)


class CountingProxy(Proxy):
    """Counts how many connections are open at the same time."""

    under_way: int = 0
    at_once: int = 0

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.under_way += 1
        self.at_once = max(self.at_once, self.under_way)
        try:
            await super()._serve(reader, writer)
        finally:
            self.under_way -= 1


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float
    title: str
    says_when_again: bool


def add_server(visitor: Visitor, name: str, port: int, *, parallel: int) -> str:
    """Add a mail server of ours and return its key."""
    path = "/migrations/servers/new/"
    visitor.post(
        path,
        name=name,
        host="127.0.0.1",
        port=str(port),
        security="clear",
        clear_is_meant="on",
        parallel_runs=str(parallel),
    )
    page = visitor.get("/migrations/campaigns/new/").text
    found = re.search(rf'<option value="(\d+)"[^>]*>{re.escape(name)}<', page)
    assert found, page
    return found[1]


def begin_campaign(visitor: Visitor, name: str, server: str) -> str:
    """Begin a campaign and return the path of the link for everybody."""
    texts = {
        name: f"{name} {{link}}" if name.endswith("text") else name
        for name in (
            "purpose",
            "retention",
            "invitation_subject",
            "invitation_text",
            "reminder_subject",
            "reminder_text",
        )
    }
    answer = visitor.post(
        "/migrations/campaigns/new/",
        name=name,
        server=server,
        rule="same",
        destination_domain="example.org",
        days="7",
        language="en",
        signed_by="Example Ltd",
        contact="help@example.org",
        **texts,
    )
    link = LINK.search(answer.text)
    assert link, answer.text
    return link[0]


def server_of(page: str) -> str:
    """Return what the form says of the server that it names."""
    found = SERVER.search(page)
    assert found, page
    return found[1]


class Crowd:
    """People who all have the form open, and send it at the same moment."""

    def __init__(self, panel: Panel, path: str) -> None:
        self.path = path
        self.where = urlsplit(panel.url)
        opened = requests.get(panel.url + path, timeout=30)
        token = TOKEN.search(opened.text)
        assert token
        self.token = token[1]
        self.server = server_of(opened.text)
        self.cookie = opened.cookies["csrftoken"]

    async def send(self, address: str, password: str) -> Answer:
        form = urlencode(
            {
                "csrfmiddlewaretoken": self.token,
                "server": self.server,
                "address": address,
                "password": password,
                "consent": "on",
            }
        )
        lines = (
            f"POST {self.path} HTTP/1.1",
            f"Host: {self.where.netloc}",
            f"Cookie: csrftoken={self.cookie}",
            "Origin: null",
            "Sec-Fetch-Site: same-origin",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(form)}",
            "Connection: close",
            "",
            form,
        )
        began = time.monotonic()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.where.port or 80
        )
        writer.write("\r\n".join(lines).encode())
        said = (await reader.read()).decode()
        writer.close()
        head, _, page = said.partition("\r\n\r\n")
        title = re.search("<title>(.*?)</title>", page, re.DOTALL)
        return Answer(
            int(head.split(maxsplit=2)[1]),
            time.monotonic() - began,
            title[1].strip() if title else said[:200],
            "\nretry-after:" in head.lower(),
        )

    def send_all(self, people: Iterable[int]) -> dict[int, Answer]:
        """Send the forms of so many at once, and return what each was answered.

        From a process of its own that gives way to all others, as people elsewhere
        would take nothing from them.
        """
        forked = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(1, forked, os.nice, (GIVES_WAY,)) as apart:
            return apart.submit(self._send_all, list(people)).result()

    def _send_all(self, people: list[int]) -> dict[int, Answer]:
        async def at_once() -> list[Answer]:
            return await asyncio.gather(
                *(self.send(f"p{it}@old.example", PASSWORD.format(it)) for it in people)
            )

        return dict(zip(people, asyncio.run(at_once()), strict=True))


def states(panel: Panel, name: str) -> dict[str, int]:
    """Count what is stored of a campaign."""
    url = environment.read(panel.env_file)["DATABASE_URL"]
    with psycopg.connect(url.replace("postgres://", "postgresql://", 1)) as connection:
        rows = connection.execute(
            "SELECT s.state, count(*) FROM migrations_submission s"
            " JOIN migrations_participant p ON p.id = s.participant_id"
            " JOIN migrations_campaign c ON c.id = p.campaign_id"
            " WHERE c.name = %s GROUP BY 1",
            [name],
        ).fetchall()
    return dict(rows)


class Bystander:
    """Looks at other pages of the panel all the time, and how long they take.

    In a process of its own: the crowd would keep it from looking at its watch.
    """

    PAGES = ("/mailboxes/", "/domains/", "/migrations/")

    def __init__(self, visitor: Visitor) -> None:
        forked = multiprocessing.get_context("fork")
        self._visitor = visitor
        self._finished = forked.Event()
        self._told, self._tells = forked.Pipe(duplex=False)
        self._process = forked.Process(target=self._look)
        # Each time from anew, or the same process of the panel would draw all of them.
        visitor.http.headers["Connection"] = "close"
        # Each process of the panel is slower with what it has never shown.
        for path in WARM * self.PAGES:
            visitor.get(path)

    def __enter__(self) -> Self:
        self._process.start()
        self._tells.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._finished.set()
        self._process.join()

    def leave(self) -> list[tuple[int, float]]:
        """Return what each page answered, and after how many seconds."""
        self._finished.set()
        seen: list[tuple[int, float]] = self._told.recv()
        return seen

    def _look(self) -> None:
        seen = []
        while not self._finished.is_set():
            for path in self.PAGES:
                began = time.monotonic()
                status = self._visitor.get(path).status_code
                seen.append((status, time.monotonic() - began))
                self._finished.wait(0.05)
        self._tells.send(seen)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What came of a rush; all times in seconds."""

    # All that were given, also to those who had to send it again.
    answers: list[Answer]
    # How often those had to who had to most often.
    repeated: int
    pages: list[float]
    page_statuses: set[int]
    stored: dict[str, int]
    at_once: int

    @property
    def longest(self) -> float:
        return max(it.seconds for it in self.answers)

    @property
    def turned_away(self) -> list[Answer]:
        """What those were answered who shall come back."""
        return [it for it in self.answers if it.status == OVERLOADED]

    @property
    def in_short(self) -> dict[str, int]:
        return dict(Counter(f"{it.status} {it.title}" for it in self.answers))


def measure(panel: Panel, *, people: int, parallel: int) -> Told:
    """Let people rush to the form of a campaign of their own, and see it to the end."""
    with (
        SlowDovecot() as dovecot,
        CountingProxy(dovecot.port) as server,
        Visitor(panel) as visitor,
    ):
        for number in range(people):
            dovecot.add_user(f"p{number}@old.example", PASSWORD.format(number))
        name = f"Rush {server.port}"
        key = add_server(visitor, name, server.port, parallel=parallel)
        crowd = Crowd(panel, begin_campaign(visitor, name, key))
        repeated = 0
        with Bystander(visitor) as bystander:
            found = crowd.send_all(range(people))
            pages = bystander.leave()
        answers = list(found.values())
        while left := [it for it, said in found.items() if said.status == OVERLOADED]:
            if repeated == MOST_REPEATED:
                break
            repeated += 1
            found = crowd.send_all(left)
            answers += found.values()
        # The others are tried by a worker; that it takes long as well shows nothing.
        dovecot.hurry()
        deadline = time.monotonic() + 150
        while (stored := states(panel, name)) != {"right": people}:
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
        return Told(
            answers=answers,
            repeated=repeated,
            pages=[seconds for _, seconds in pages],
            page_statuses={status for status, _ in pages},
            stored=stored,
            at_once=server.at_once,
        )
