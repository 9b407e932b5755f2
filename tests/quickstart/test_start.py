from __future__ import annotations

import io
import socket
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from purelymanage.quickstart import ports, start
from purelymanage.quickstart.folder import Folder, Occupied


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(
            start.NotStarted, match=f"Port {port} is in use .* --port N"
        ):
            start.run(port=port, reset=False, out=io.StringIO(), var=tmp_path)


def test_nothing_is_reset_while_a_quickstart_runs(tmp_path: Path) -> None:
    running = Folder(tmp_path)
    running.lock(url="http://localhost:8123")
    (tmp_path / "env").write_text("A=b")
    with pytest.raises(Occupied, match="http://localhost:8123"):
        start.run(port=8000, reset=True, out=io.StringIO(), var=tmp_path)
    running.unlock()
    assert (tmp_path / "env").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "٨٠"])
def test_a_port_has_to_be_a_number(port: str) -> None:
    with pytest.raises(CommandError, match="is not a port number"):
        call_command("quickstart", f"--port={port}")


def test_a_port_that_is_free_is_kept() -> None:
    port = ports.keep_or_choose(None, udp_too=True)
    assert ports.keep_or_choose(port, udp_too=True) == port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        assert ports.keep_or_choose(port) == port
        assert ports.keep_or_choose(port, udp_too=True) != port


def test_the_terminal_shows_each_step_with_its_time() -> None:
    out = io.StringIO()
    terminal = start.Terminal(out)
    terminal.step("PostgreSQL")
    terminal.step("Owner")
    terminal.say("Something happened.")
    shown = [line.split() for line in out.getvalue().splitlines()]
    assert shown == [["PostgreSQL", "0.0", "s"], ["Owner"], ["Something", "happened."]]


@pytest.mark.parametrize("told", ["", "soon", "nan", "-1", "1e99"])
def test_a_beginning_that_cannot_be_is_now(told: str) -> None:
    before = time.monotonic()
    assert before <= start.beginning(told) <= time.monotonic()


def test_the_packages_count_as_part_of_the_start() -> None:
    began = time.monotonic() - 7
    assert start.beginning(str(began)) == began


def told(*, unread: str = "", keeps_mail: bool = False) -> str:
    out = io.StringIO()
    start._tell(
        start.Terminal(out),
        8000,
        "x",
        sandbox=None,
        unread=unread,
        keeps_mail=keeps_mail,
        seconds=1,
    )
    return out.getvalue()


def test_an_empty_panel_says_why() -> None:
    said = told(unread="It is down.")
    assert "The panel is empty" in said
    assert "could not be read.\n  It is down.\n" in said


def test_it_says_where_invitations_are_while_no_mail_is_sent() -> None:
    assert "look for invitations in var/mail" in told(keeps_mail=True)
    assert "var/mail" not in told()


def test_a_closed_terminal_is_no_reason_to_fail() -> None:
    out = io.StringIO()
    out.close()
    start.Terminal(out).say("Nobody reads this.")
