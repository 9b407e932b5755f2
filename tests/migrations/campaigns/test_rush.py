from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import pytest

from tests.migrations.campaigns import rush
from tests.panel import Panel
from tests.visitor import Visitor

pytestmark = pytest.mark.slow

PEOPLE = 300
PARALLEL = 6


class Bystander(threading.Thread):
    """Looks at other pages of the panel all the time, and how long they take."""

    PAGES = ("/mailboxes/", "/domains/", "/migrations/")

    def __init__(self, visitor: Visitor) -> None:
        super().__init__()
        self.visitor = visitor
        self.finished = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        while not self.finished.is_set():
            for path in self.PAGES:
                began = time.monotonic()
                assert self.visitor.get(path).ok
                self.seconds.append(time.monotonic() - began)
                self.finished.wait(0.05)


def test_three_hundred_at_once(panel: Panel) -> None:
    """Nobody waits for long, none is lost, and the mail server is asked gently."""
    with (
        rush.SlowDovecot() as dovecot,
        rush.CountingProxy(dovecot.port) as server,
        Visitor(panel) as visitor,
    ):
        for number in range(PEOPLE):
            dovecot.add_user(f"p{number}@old.example", rush.PASSWORD.format(number))
        name = f"Rush {server.port}"
        key = rush.add_server(visitor, name, server.port, parallel=PARALLEL)
        path = rush.begin_campaign(visitor, name, key)
        crowd = rush.Crowd(panel, path)
        bystander = Bystander(visitor)
        bystander.start()
        answers = asyncio.run(crowd.send_all(PEOPLE))
        bystander.finished.set()
        bystander.join()

        bystander.seconds.sort()
        told: dict[str, object] = {
            "answers": Counter((it.status, it.title) for it in answers),
            "longest": max(it.seconds for it in answers),
            "pages": bystander.seconds[-5:],
            "median": bystander.seconds[len(bystander.seconds) // 2],
        }
        deadline = time.monotonic() + 150
        while (found := rush.states(panel, name)) != {"right": PEOPLE}:
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
        told |= {"stored": found, "at once": server.most}
        assert {it.status for it in answers} == {200}, told
        assert max(it.seconds for it in answers) < 15, told
        assert found == {"right": PEOPLE}, told
        assert server.most <= PARALLEL, told
        assert bystander.seconds[-1] < 0.3, told
