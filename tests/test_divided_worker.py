"""Which process of a web server answers what, and what becomes of it when one ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
from gunicorn.config import Config

from purelymanage.divided_worker import FORM, DividedWorker
from purelymanage.environment import BASE_DIR
from purelymanage.migrations.campaigns import gate
from purelymanage.passage import Passage

PATIENCE = 30
PROCESSES = 3
PAGE, LINK = "/mailboxes/", "/gather/x/"


@dataclass(frozen=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, path: str, sent: str | None = None) -> dict[str, Any]:
        with contextlib.closing(self.connect()) as connection:
            return ask(connection, path, sent)

    def who(self, path: str) -> int:
        return int(self.ask(path)["process"])

    def wait_for_all(self) -> None:
        """Wait until all are there: gunicorn forgets an end told to one that begins."""
        deadline = time.monotonic() + PATIENCE
        seen: set[int] = set()
        while len(seen) < PROCESSES:
            assert time.monotonic() < deadline
            seen |= {self.who(LINK), self.who(PAGE)}


def ask(
    connection: http.client.HTTPConnection, path: str, sent: str | None = None
) -> dict[str, Any]:
    connection.request("GET" if sent is None else "POST", path, sent)
    answer = connection.getresponse()
    told: dict[str, Any] = json.loads(answer.read())
    return told


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--preload"]
        command += ["--workers", f"{PROCESSES}"]
        command += ["--threads", "2", "--no-control-socket", "--log-level", "error"]
        command += ["--worker-class", "purelymanage.divided_worker.DividedWorker"]
        command += ["--bind", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            [*command, "tests.who_answers:application"],
            cwd=BASE_DIR,
            pass_fds=[listener.fileno()],
        )
    server = Server(port, process)
    try:
        server.wait_for_all()
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as it:
        yield it


def test_the_form_has_a_process_of_its_own(server: Server) -> None:
    forms = [server.ask(LINK, "password=a") for _ in range(10)]
    (process,) = {it.pop("process") for it in forms}
    assert forms[0] == {
        "client": "127.0.0.1",
        "server": "127.0.0.1",
        "path": LINK,
        "sent": "password=a",
    }
    pages = {server.who(PAGE) for _ in range(10)}
    assert process not in pages
    assert server.who(LINK) == process
    page = os.getpriority(os.PRIO_PROCESS, pages.pop())
    assert os.getpriority(os.PRIO_PROCESS, process) > page


def test_a_connection_may_be_used_for_pages_and_the_form(server: Server) -> None:
    form = server.who(LINK)
    with contextlib.closing(server.connect()) as connection:
        page = ask(connection, PAGE)["process"]
        kept = connection.sock
        assert ask(connection, PAGE)["process"] == page
        assert connection.sock is kept
        assert ask(connection, LINK, "a=b")["process"] == form
        # It was told to come anew for what is next.
        assert connection.sock is None
        assert ask(connection, PAGE)["process"] != form


def test_a_connection_may_begin_in_silence(server: Server) -> None:
    form = server.who(LINK)
    connections = [server.connect() for _ in range(10)]
    for connection in connections:
        connection.connect()
    assert server.who(PAGE) != form
    for connection in connections:
        assert ask(connection, LINK)["process"] == form
        connection.close()


def test_half_a_request_line_is_answered_once_it_is_whole(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(b"POST /gat")
        server.who(PAGE)
        connection.sendall(b"her/x/ HTTP/1.0\r\nContent-Length: 3\r\n\r\na=b")
        said = b"".join(iter(lambda: connection.recv(1000), b""))
    told = json.loads(said.partition(b"\r\n\r\n")[2])
    assert (told["path"], told["sent"]) == (LINK, "a=b")


def test_what_follows_in_the_same_breath_is_answered_in_turn(server: Server) -> None:
    """What was read with one request already is no reason to pass the rest on."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        page = f"GET {PAGE} HTTP/1.1\r\n\r\n"
        form = f"POST {LINK} HTTP/1.1\r\nContent-Length: 30\r\n"
        # What is sent looks like a form by itself.
        connection.sendall(f"{page}{form}\r\n{'GET /gather/y/ HTTP/1.1':<30}".encode())
        connection.sendall(f"GET {PAGE} HTTP/1.0\r\n\r\n".encode())
        said = b"".join(iter(lambda: connection.recv(1000), b"")).decode()
    paths = said.split('"path": "')[1:]
    assert [it.partition('"')[0] for it in paths] == [PAGE, LINK, PAGE]


def test_those_who_wait_for_a_process_that_is_killed_are_answered(
    server: Server,
) -> None:
    killed = server.who(LINK)
    os.kill(killed, signal.SIGSTOP)
    with ThreadPoolExecutor(20) as people:
        answers = [people.submit(server.ask, LINK, f"{it}") for it in range(20)]
        # Pages do without it.
        assert server.who(PAGE) != killed
        os.kill(killed, signal.SIGKILL)
        told = [it.result() for it in answers]
    assert [it["sent"] for it in told] == [f"{it}" for it in range(20)]
    assert killed not in {it["process"] for it in told}


@pytest.mark.slow
def test_after_a_reload_it_is_as_before(server: Server) -> None:
    before = {server.who(LINK), *(server.who(PAGE) for _ in range(10))}
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE
    while (form := server.who(LINK)) in before or server.who(PAGE) in before:
        assert time.monotonic() < deadline
    assert form not in {server.who(PAGE) for _ in range(10)}
    assert form == server.who(LINK)


@pytest.mark.slow
def test_who_was_passed_on_is_answered_before_the_end() -> None:
    with serving() as server:
        form = server.who(LINK)
        os.kill(form, signal.SIGSTOP)
        waiting = [server.connect() for _ in range(5)]
        for it in waiting:
            it.request("GET", LINK)
        # They have been accepted as well, as they came before.
        assert server.who(PAGE) != form
        server.process.send_signal(signal.SIGTERM)
        os.kill(form, signal.SIGCONT)
        for it in waiting:
            assert it.getresponse().status == 200
            it.close()
        assert server.process.wait(PATIENCE) == 0


def test_one_process_alone_answers_everything() -> None:
    log = mock.Mock()
    assert DividedWorker(1, 0, [], None, 30, Config(), log).passage is None


def test_the_gate_is_at_the_same_place() -> None:
    assert FORM.match(f"POST {gate.PREFIX}x/ HTTP/1.1".encode())
    assert not FORM.match(f"POST /x{gate.PREFIX} HTTP/1.1".encode())


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        with client, accepted:
            yield client, accepted


def test_a_full_passage_takes_nobody(pair: tuple[socket.socket, socket.socket]) -> None:
    passage = Passage()
    assert not passage.holds_somebody()
    before, passed = time.monotonic(), 0
    while passage.pass_on(pair[1]):
        passed += 1
    assert passed >= 100
    for _ in range(passed):
        assert passage.holds_somebody()
        passage.accept()[0].close()
    # How long somebody was under way counts as time that they have waited.
    assert passage.came_at is not None
    assert before <= passage.came_at <= time.monotonic()
    assert not passage.holds_somebody()
    with pytest.raises(BlockingIOError):
        passage.accept()


def test_who_went_away_meanwhile_is_no_trouble() -> None:
    passage = Passage()
    with socket.socket() as never_connected:
        assert passage.pass_on(never_connected)
    with pytest.raises(ConnectionAbortedError):
        passage.accept()
