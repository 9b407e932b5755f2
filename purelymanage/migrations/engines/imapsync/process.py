"""The running program: what it is given, what it says, and how it is ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from purelymanage.imap.account import Account
from purelymanage.imap.authorities import find_authorities

from . import launch
from .command import Access, pid_file
from .program import environment

PREFIX = "purelymanage-imapsync-"
LONGEST_LINE = 65536
# How long each way to end it may take before the next, in seconds. Together they stay
# below what a worker that is shut down has.
ABORT, TERM, KILL = 9.0, 4.0, 2.0


@dataclass(frozen=True, slots=True)
class Room:
    """A folder and password files that exist for one copy and for nobody else."""

    folder: str
    access: tuple[Access, Access]


@contextmanager
def own_room(source: Account, destination: Account) -> Iterator[Room]:
    _sweep()
    folder, lock = _new_folder()
    descriptors = [lock]
    try:
        access = []
        for side in (source, destination):
            # In memory only; the program opens it by its number.
            descriptor = os.memfd_create(f"password of the {side.side}")
            descriptors.append(descriptor)
            with open(descriptor, "wb", closefd=False) as file:
                file.write(side.password.encode() + b"\n")
            access.append(_access(side, descriptor, Path(folder)))
        yield Room(folder, (access[0], access[1]))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _access(side: Account, descriptor: int, folder: Path) -> Access:
    if not side.verify_certificate:
        return Access(descriptor)
    trusted = find_authorities(side.ca_file)
    if not trusted.text:
        return Access(descriptor, ca_folder=trusted.folder)
    file = folder / f"{side.side}.pem"
    file.write_bytes(trusted.text)
    return Access(descriptor, str(file), trusted.folder)


def _new_folder() -> tuple[str, int]:
    """Return a folder, and a lock on it that is held as long as we live."""
    while True:
        folder = tempfile.mkdtemp(prefix=PREFIX)
        lock = os.open(_lock_file(folder), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if Path(_lock_file(folder)).exists():
            return folder, lock
        # Somebody took it for an old one before it was locked.
        os.close(lock)


def _sweep() -> None:
    """Remove the folders of workers that were killed; there is nothing secret in them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.lstat().st_uid == os.geteuid():
                _remove_abandoned(folder)


def _remove_abandoned(folder: Path) -> None:
    descriptor = os.open(_lock_file(str(folder)), os.O_RDWR | os.O_NOFOLLOW)
    try:
        # Refused while its owner lives.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _lock_file(folder: str) -> str:
    return os.path.join(folder, "lock")  # noqa: PTH118 - as a text for `os.open`


class Child:
    """The program, in a session and a group of its own, dying with this thread."""

    def __init__(self, command: list[str], room: Room) -> None:
        starter = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        self._process = subprocess.Popen(
            starter + command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=room.folder,
            env=environment(room.folder),
            pass_fds=[access.password_fd for access in room.access],
            start_new_session=True,
            bufsize=0,
        )
        stdout = self._process.stdout
        assert stdout is not None
        self._output = stdout.fileno()
        os.set_blocking(self._output, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output, selectors.EVENT_READ)
        self._abort_file = Path(f"{pid_file(room.folder)}abort{self.pid}")
        self._pending = b""
        self._steps: list[tuple[float, int]] = []
        self.heard_at = time.monotonic()
        # Whether we were the ones who wanted it to end.
        self.was_ended = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Return how it ended, negative for a signal, or None while it runs."""
        return self._process.poll()

    def read(self, patience: float) -> list[str]:
        """Return the lines that came within so many seconds, as soon as there are any."""
        found: list[str] = []
        until = time.monotonic() + patience
        while not found:
            self.press()
            left = until - time.monotonic()
            over = self.status is not None
            ready = self._selector.select(0 if over else max(0.0, min(left, 0.1)))
            data = self._take() if ready else b""
            if data:
                self.heard_at = time.monotonic()
                found = self._cut(data)
            elif over:
                return found
            elif ready:
                # It has closed its output, and is about to leave or should be.
                time.sleep(0.01)
            if left <= 0:
                break
        return found

    def rest(self) -> list[str]:
        """Return what was left without an end of line."""
        found, self._pending = self._pending, b""
        return [found.decode("utf-8", "surrogateescape")] if found else []

    def end(self, *, gently: bool = True) -> None:
        """Ask it to end, and see to it from then on whenever it is read."""
        if self.was_ended or self.status is not None:
            return
        self.was_ended = True
        now = time.monotonic()
        if gently:
            with contextlib.suppress(OSError):
                self._abort_file.touch()
            now += ABORT
        self._steps = [(now, signal.SIGTERM), (now + TERM, signal.SIGKILL)]
        self.press()

    def press(self) -> None:
        """Take the next step where the time for the one before is over."""
        while self._steps and self._steps[0][0] <= time.monotonic():
            self._signal(self._steps.pop(0)[1])

    def close(self) -> None:
        """End it for good, if need be without asking, and forget it."""
        if self.status is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(KILL)
        # Whoever else is left in the group goes with it.
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _take(self) -> bytes:
        try:
            return os.read(self._output, LONGEST_LINE)
        except BlockingIOError:
            return b""

    def _cut(self, data: bytes) -> list[str]:
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > LONGEST_LINE:
            lines.append(self._pending)
            self._pending = b""
        return [line.decode("utf-8", "surrogateescape") for line in lines]
