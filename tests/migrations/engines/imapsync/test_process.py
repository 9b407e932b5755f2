from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from purelymanage.imap.account import Account
from purelymanage.imap.errors import CertificateRefused
from purelymanage.migrations.engines.base import CopyOptions
from purelymanage.migrations.engines.imapsync import process
from purelymanage.migrations.engines.imapsync.command import Errand, arguments
from purelymanage.migrations.engines.imapsync.process import Child, Room, own_room
from tests.migrations.engines.imapsync.fake import Fake

ROOT = Path(__file__).parents[4]
SECRETS = ("Kanarienvogel, 'eins' ü ", '"zwei" \\ Kanarienvögel')
SOURCE = Account(
    host="old.example", port=993, user="otto", password=SECRETS[0], side="source"
)
DESTINATION = replace(SOURCE, password=SECRETS[1], side="destination")


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture
def room() -> Iterator[Room]:
    with own_room(SOURCE, DESTINATION) as room:
        yield room


def start(fake: Fake, room: Room) -> Child:
    errand = Errand(source=SOURCE, destination=DESTINATION, options=CopyOptions())
    return Child(arguments(fake.program, errand, room.access, room.folder), room)


def follow(child: Child, seconds: float = 20) -> list[str]:
    """Read until it has ended."""
    found: list[str] = []
    deadline = time.monotonic() + seconds
    while child.status is None:
        assert time.monotonic() < deadline, "it does not end"
        found += child.read(0.2)
    while lines := child.read(0):
        found += lines
    return found + child.rest()


def wait_for(child: Child, words: str) -> None:
    deadline = time.monotonic() + 20
    while not any(words in line for line in child.read(0.2)):
        assert time.monotonic() < deadline, "it does not speak"


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_passwords_travel_in_memory_only(
    fake: Fake, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "of the panel")
    child = start(fake, room)
    follow(child)
    facts = fake.facts
    # They arrive, whatever characters they are made of,
    assert facts["passwords"] == list(SECRETS)
    # and are nowhere else: others can read the first two, the disk keeps the third.
    outside = json.dumps([facts["argv"], facts["environ"]], ensure_ascii=False)
    for secret in (*SECRETS, "of the panel"):
        assert secret not in outside
    for file in Path(room.folder).rglob("*"):
        assert b"Kanarien" not in file.read_bytes()
    child.close()


def test_it_has_a_place_of_its_own(fake: Fake, room: Room) -> None:
    child = start(fake, room)
    follow(child)
    facts = fake.facts
    assert facts["mode"] == "0o700"
    assert facts["session"] == facts["pid"] == child.pid
    assert facts["tty"] is False
    assert facts["environ"]["HOME"] == room.folder
    assert set(facts["environ"]) <= {
        "HOME", "LC_ALL", "LC_CTYPE", "PATH", "PERL5LIB", "SSL_CERT_DIR",
        "SSL_CERT_FILE", "TMPDIR",
    }  # fmt: skip
    # Nothing else of ours is open in it: three streams, two passwords, its own look.
    assert len(facts["descriptors"]) == 6
    child.close()


def test_nothing_is_left_afterwards(fake: Fake) -> None:
    with own_room(SOURCE, DESTINATION) as room:
        assert Path(room.folder).is_dir()
        descriptors = [access.password_fd for access in room.access]
    assert not Path(room.folder).exists()
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_rooms_of_workers_that_were_killed_are_cleared() -> None:
    folder = Path(tempfile.mkdtemp(prefix=process.PREFIX))
    (folder / "lock").touch()
    new = Path(tempfile.mkdtemp(prefix=process.PREFIX))
    with own_room(SOURCE, DESTINATION) as mine, own_room(SOURCE, DESTINATION):
        assert not folder.exists()
        assert Path(mine.folder).exists(), "that of a living one"
        assert new.exists(), "one that is only being set up"
    new.rmdir()


def test_authorities_of_ours_are_added_to_the_system_s(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("ours")
    source = replace(SOURCE, ca_file=str(tmp_path / "ca.pem"))
    open_one = replace(DESTINATION, verify_certificate=False)
    with own_room(source, open_one) as room:
        assert b"ours" in Path(room.access[0].ca_file).read_bytes()
        assert room.access[1].ca_file == ""
    missing = replace(SOURCE, ca_file=str(tmp_path / "none"))
    with pytest.raises(CertificateRefused), own_room(missing, DESTINATION):
        pass


def test_lines_come_as_they_are_printed(fake: Fake, room: Room) -> None:
    fake.plan("first", "zweite: ü", "", "last", status=113)
    child = start(fake, room)
    assert follow(child) == ["first", "zweite: ü", "", "last"]
    assert child.status == 113
    assert not child.was_ended
    child.close()


def test_the_abort_file_is_what_is_tried_first(fake: Fake, room: Room) -> None:
    fake.plan("ready", seconds=30, ends_by="abort")
    child = start(fake, room)
    wait_for(child, "ready")
    child.end()
    assert follow(child) == ["Ended by file"]
    assert (child.status, child.was_ended) == (7, True)
    assert fake.signals == []
    child.close()


@pytest.mark.slow
@pytest.mark.parametrize("chatty", [False, True])
def test_what_ignores_everything_is_killed(
    fake: Fake, room: Room, monkeypatch: pytest.MonkeyPatch, *, chatty: bool
) -> None:
    monkeypatch.setattr(process, "ABORT", 0.3)
    monkeypatch.setattr(process, "TERM", 0.3)
    fake.plan("ready", seconds=30, chatty=chatty)
    child = start(fake, room)
    wait_for(child, "ready")
    started = time.monotonic()
    child.end()
    child.end()
    follow(child)
    assert child.status == -signal.SIGKILL
    assert fake.signals == ["SIGTERM"]
    assert 0.55 < time.monotonic() - started < 3
    child.close()


def test_one_that_obeys_sigterm_keeps_its_last_words(
    fake: Fake, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "ABORT", 0.2)
    fake.plan("ready", seconds=30, ends_by="TERM")
    child = start(fake, room)
    wait_for(child, "ready")
    child.end()
    assert follow(child) == ["Ended by TERM"]
    child.close()


def test_the_whole_ladder_fits_into_a_shutdown() -> None:
    # A worker that is shut down has 25 seconds, and has to write down its figures.
    assert process.ABORT + process.TERM + process.KILL < 18


def test_closing_ends_it_at_once(
    fake: Fake, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "KILL", 0.3)
    fake.plan("ready", seconds=30)
    child = start(fake, room)
    wait_for(child, "ready")
    started = time.monotonic()
    child.close()
    assert time.monotonic() - started < 2
    assert gone(child.pid)


_WORKER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.migrations.engines.imapsync.test_process import *
fake = Fake(Path(sys.argv[2]))
fake.plan("ready", seconds=60)
with own_room(SOURCE, DESTINATION) as room:
    child = start(fake, room)
    wait_for(child, "ready")
    print(child.pid, room.folder, flush=True)
    follow(child, 60)
"""


@pytest.mark.slow
def test_it_dies_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(ROOT), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    pid, folder = worker.stdout.readline().split()
    assert not gone(int(pid))
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + 5
    while not gone(int(pid)):
        assert time.monotonic() < deadline, "an orphan goes on copying"
        time.sleep(0.02)
    worker.stdout.close()
    # What is left holds nothing secret, and the next copy clears it.
    with own_room(SOURCE, DESTINATION):
        assert not Path(folder).exists()


def test_what_is_no_program_says_so(tmp_path: Path, room: Room) -> None:
    (tmp_path / "imapsync").write_text("no program")
    (tmp_path / "imapsync").chmod(0o755)
    child = Child([str(tmp_path / "imapsync")], room)
    assert follow(child) == ["Can't start it: Exec format error"]
    assert child.status == 126
    child.close()
