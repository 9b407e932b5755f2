"""Lets many people look at live pages of the real web process for some minutes."""

from __future__ import annotations

import http.client
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.environment import BASE_DIR
from purelymanage.migrations.models import Run, RunFolder
from purelymanage.quickstart.ports import keep_or_choose
from tests.live import MOVES

MOST = 300.0  # milliseconds
# Memory is flat if it grows by no more than this share, from when all processes have
# answered everything once until the end.
LARGEST_GROWTH = 0.10
WARM_UP, MOST_OF_WARM_UP = 180.0, 0.3  # seconds, and a share of the whole
# Where people sit and wait for news; the last two have few.
LIVE = (
    *("/",) * 4,
    *("/migrations/",) * 4,
    *("/migrations/batches/1/",) * 4,
    *("{job}",) * 5,
    *("/settings/health/", "/domains/example.org/", "/deletions/"),
)
# Where some go from there, and how long they stay.
WALKS = (
    *("/mailboxes/", "/mailboxes/?q=box77", "/mailboxes/box1@example.org/"),
    *("/domains/", "/domains/example.org/", "/routing/", "/audit/", "/deletions/"),
    *("/migrations/", "/migrations/batches/1/", "/notices/", "/"),
)
STAY = 4.0, 15.0
# Within how many seconds all have come.
ARRIVE = 30.0
EVERY = re.compile(r'<[^>]*hx-get="([^"]+)"[^>]*hx-trigger="[^">]*every (\d+)s[^>]*>')
MOVED = re.compile(r'<[^>]*hx-get="([^"]*)"[^>]*hx-trigger="moved from:body"')


@dataclass
class Told:
    """What came of it, filled by all who look."""

    polls: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    # Megabytes, a look every few seconds.
    memory: list[float] = field(default_factory=list)
    seconds: float = 0.0
    processor: float = 0.0

    @property
    def is_well(self) -> bool:
        return not self.wrong and not self.is_late and self.growth <= LARGEST_GROWTH

    @property
    def is_late(self) -> bool:
        """Whether pages or what they ask for while one looks are, each for itself."""
        return any(_share(it, 0.95) >= MOST for it in (self.polls, self.pages))

    @property
    def warm(self) -> float:
        """How much it took after three minutes, or sooner if it ends sooner."""
        share = min(WARM_UP / max(self.seconds, 1.0), MOST_OF_WARM_UP)
        return self.memory[int(share * (len(self.memory) - 1))] if self.memory else 1.0

    @property
    def growth(self) -> float:
        return self.memory[-1] / self.warm - 1 if self.memory else 0.0


class Person(threading.Thread):
    """One browser: a page that asks for news of itself, and now and then another."""

    def __init__(
        self,
        number: int,
        port: int,
        cookie: str,
        home: str,
        told: Told,
        until: float,
    ) -> None:
        super().__init__(daemon=True)
        self.chance = random.Random(number)  # noqa: S311
        self.cookie, self.home = cookie, home
        self.walks = number % 5 == 0
        self.told, self.until = told, until
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        # When each address is asked next, and how often.
        self.asks: dict[str, tuple[float, float]] = {}
        self.here, self.page = home, ""

    def run(self) -> None:
        time.sleep(self.chance.uniform(0, ARRIVE))
        with closing(self.http):
            self._open(self.home)
            leaves = time.monotonic() + self.chance.uniform(*STAY)
            while (now := time.monotonic()) < self.until:
                if self.walks and now >= leaves:
                    self._open(self.chance.choice(WALKS))
                    leaves = time.monotonic() + self.chance.uniform(*STAY)
                for url, (due, pause) in list(self.asks.items()):
                    if due <= time.monotonic():
                        self._poll(url, pause)
                next_due = min((due for due, _ in self.asks.values()), default=now + 1)
                time.sleep(max(0.01, min(next_due - time.monotonic(), 1.0)))

    def _open(self, path: str) -> None:
        self.here, self.asks = path, {}
        status, self.page, _ = self._get(path, self.told.pages)
        if status not in {0, 200}:
            self.told.wrong[f"{status} {path}"] += 1
        self._take(self.page)

    def _poll(self, url: str, pause: float) -> None:
        path = url if url.startswith("/") else self.here.partition("?")[0] + url
        if "/batches/" in path:
            moving = "".join(f"&row={key}" for key in MOVES.findall(self.page))
            path += moving
        status, text, event = self._get(path, self.told.polls, live=True)
        if status == 200:
            del self.asks[url]
            self._take(text)
        else:
            self.asks[url] = time.monotonic() + pause, pause
        if status not in {0, 200, 204}:
            self.told.wrong[f"{status} {path}"] += 1
        if event and (found := MOVED.search(self.page)):
            there = self.here.partition("?")[0] + unescape(found[1])
            self._get(there, self.told.polls, live=True)

    def _take(self, text: str) -> None:
        for found in EVERY.finditer(text):
            pause = float(found[2])
            self.asks[unescape(found[1])] = time.monotonic() + pause, pause

    def _get(
        self, path: str, times: list[float], *, live: bool = False
    ) -> tuple[int, str, str]:
        headers = {"Cookie": self.cookie} | ({"HX-Request": "true"} if live else {})
        began = time.perf_counter()
        try:
            try:
                answer, text = self._ask(path, headers)
            except ConnectionError:
                # Closed since nobody had asked for a while: browsers ask anew as well.
                self.http.close()
                answer, text = self._ask(path, headers)
        except (OSError, http.client.HTTPException) as exc:
            self.http.close()
            self.told.wrong[f"{type(exc).__name__} {path.partition('?')[0]}"] += 1
            return 0, "", ""
        times.append(1000 * (time.perf_counter() - began))
        kind = "poll" if live else "page"
        self.told.answers[f"{kind} {answer.status}"] += 1
        return answer.status, text, answer.headers.get("HX-Trigger", "")

    def _ask(
        self, path: str, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        self.http.request("GET", path, headers=headers)
        answer = self.http.getresponse()
        return answer, answer.read().decode()


def measure(folder: Path, *, people: int, minutes: float) -> Told:
    told = Told()
    with running_web(folder) as (port, process):
        cookies = [_sign_in(number) for number in range(people)]
        jobs = Run.objects.running().values_list("job_id", flat=True)
        homes = [f"/migrations/jobs/{it}/" for it in jobs]
        connection.close()
        began, worked = time.monotonic(), _processor(process.pid)
        until = began + 60 * minutes
        crowd = [
            Person(
                number,
                port,
                cookie,
                LIVE[number % len(LIVE)].format(job=homes[number % len(homes)]),
                told,
                until,
            )
            for number, cookie in enumerate(cookies)
        ]
        for person in crowd:
            person.start()
        _let_copies_move(process.pid, told, until)
        for person in crowd:
            person.join(70)
        told.seconds = time.monotonic() - began
        told.processor = _processor(process.pid) - worked
    return told


def _sign_in(number: int) -> str:
    user = User.objects.create_user(f"admin{number}@example.org", None, role=Role.ADMIN)
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


def _let_copies_move(pid: int, told: Told, until: float) -> None:
    """Do as workers do, who tell each second how far they are."""
    looked = 0.0
    while (now := time.monotonic()) < until:
        at = timezone.now()
        Run.objects.running().update(
            copied=F("copied") + 1,
            bytes_copied=F("bytes_copied") + 50_000,
            moved_at=at,
        )
        moving = RunFolder.objects.filter(run__state=Run.State.RUNNING)
        moving.filter(position=0).update(copied=F("copied") + 1, written_at=at)
        if now - looked >= 5:
            looked = now
            told.memory.append(_memory(pid))
        time.sleep(1)


@contextmanager
def running_web(folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Start the panel's web server as each installation does, and wait for it."""
    port = keep_or_choose(None)
    command = [sys.executable, "-m", "gunicorn"]
    command += ["--config", "python:purelymanage.web_server"]
    command += ["--bind", f"127.0.0.1:{port}"]
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=BASE_DIR, env=os.environ, stdout=log, stderr=log
        )
    try:
        _wait(process, port)
        yield port, process
    finally:
        process.terminate()
        process.wait(40)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), closing(_connect(port)) as there:
            there.request("GET", "/accounts/login/")
            if there.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise SystemExit("The web process does not answer.")


def _connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=10)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _memory(pid: int) -> float:
    """Return what the process and its children take in megabytes, shared ones once."""
    kilobytes = 0
    for one in _family(pid):
        with suppress(OSError):
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            kilobytes += int(re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE)[0])
    return kilobytes / 1024


def _processor(pid: int) -> float:
    """Return how many seconds the process and its children have worked."""
    ticks = 0
    for one in _family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def tell(told: Told, people: int) -> None:
    every = told.polls + told.pages
    after = min(WARM_UP, MOST_OF_WARM_UP * told.seconds)
    lines = {
        "people": f"{people} for {told.seconds:.0f} s",
        "answers": ", ".join(f"{n:,} times {it}" for it, n in told.answers.items()),
        "errors": ", ".join(f"{n} times {it}" for it, n in told.wrong.items())
        or "none",
        "news of live pages": _in_words(told.polls),
        "whole pages": _in_words(told.pages),
        "all": _in_words(every),
        "speed": f"{'too slow' if told.is_late else 'well'}: 95 % of either have to be "
        f"within {MOST:.0f} ms",
        "memory": f"{told.memory[0]:.0f} MB at the beginning, {told.warm:.0f} after "
        f"{after:.0f} s, {told.memory[-1]:.0f} at the end: {told.growth:+.1%}, "
        f"{'flat' if told.growth <= LARGEST_GROWTH else 'not flat'} up to "
        f"{LARGEST_GROWTH:.0%}",
        "processor": f"{told.processor / told.seconds:.0%} of one, "
        f"{1000 * told.processor / max(1, len(every)):.0f} ms per answer",
    }
    for name, words in lines.items():
        sys.stdout.write(f"{name:<20}{words}\n")
    sys.stdout.flush()


def _in_words(times: list[float]) -> str:
    return (
        f"{len(times):,}, median {_share(times, 0.5):.0f} ms, "
        f"95 % within {_share(times, 0.95):.0f} ms, longest {_share(times, 1):.0f} ms"
    )


def _share(times: list[float], share: float) -> float:
    return sorted(times)[round(share * (len(times) - 1))] if times else 0.0
