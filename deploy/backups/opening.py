"""What is in a backup: one line about it and its keys, then what `pg_dump` has said."""

from __future__ import annotations

import contextlib
import getpass
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.backups import stream
from deploy.backups.problems import Failed, reason
from deploy.backups.programs import sentence

LONGEST_LINE = 4 * 1024 * 1024
SHORTEST_PASSPHRASE = 12


@dataclass(frozen=True)
class About:
    """What a backup is of."""

    made_at: str
    base_url: str
    postgresql: str
    migrations: list[str]
    audit_entries: int
    settings: dict[str, str] = field(default_factory=dict)

    def as_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @property
    def in_words(self) -> str:
        keys = "with its keys" if self.settings else "without keys"
        return (
            f"{self.base_url} at {self.made_at}, PostgreSQL {self.postgresql}, "
            f"audit entries: {self.audit_entries}, {keys}"
        )


@dataclass(frozen=True)
class Lock:
    """What a backup is opened with: a passphrase, or the file of an age identity."""

    passphrase: str = ""
    identity: Path | None = None


def ask_passphrase(file: Path | None, *, twice: bool) -> str:
    """Read the passphrase from a file, or from whoever sits at the terminal."""
    if file is not None:
        return _from_file(file)
    if not sys.stdin.isatty():
        raise Failed("There is no terminal: name a file with --passphrase-file.")
    given = getpass.getpass("Passphrase: ")
    if twice:
        check_passphrase(given)
        if getpass.getpass("Once more: ") != given:
            raise Failed("These are two different ones.")
    return given


def check_passphrase(given: str) -> None:
    if len(given) < SHORTEST_PASSPHRASE:
        raise Failed(f"A passphrase has at least {SHORTEST_PASSPHRASE} characters.")


def age() -> str:
    program = shutil.which("age")
    if program is None:
        raise Failed("age is not installed: on Debian and Ubuntu, apt-get install age.")
    return program


@contextlib.contextmanager
def opened(path: Path, lock: Lock) -> Iterator[tuple[About, Iterator[bytes]]]:
    """Open a backup; reading to the end is what shows that it is whole."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            if stream.is_ours(file):
                if not lock.passphrase:
                    raise Failed("This backup is opened by a passphrase.")
                chunks = _sentences(stream.read(file, lock.passphrase))
            else:
                chunks = _by_age(path, lock)
        except OSError as exc:
            raise Failed(f"{path} cannot be read: {reason(exc)}.") from exc
        stack.enter_context(contextlib.closing(chunks))
        line = bytearray()
        for chunk in chunks:
            line += chunk
            if b"\n" in chunk or len(line) > LONGEST_LINE:
                break
        first, newline, rest = bytes(line).partition(b"\n")
        try:
            if not newline:
                raise ValueError
            about = About(**json.loads(first))
        except (ValueError, TypeError) as exc:
            raise Failed("This is no backup of PurelyManage.") from exc
        yield about, _after(rest, chunks)


def _after(rest: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield rest
    yield from chunks


def _sentences(chunks: Iterator[bytes]) -> Generator[bytes]:
    try:
        yield from chunks
    except stream.Unreadable as exc:
        raise Failed(str(exc)) from exc


def _by_age(path: Path, lock: Lock) -> Generator[bytes]:
    if lock.identity is None:
        raise Failed(
            "This is no backup that a passphrase opens. One for age needs --identity."
        )
    process = subprocess.Popen(
        [age(), "--decrypt", "--identity", str(lock.identity), str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        while chunk := process.stdout.read(stream.CHUNK):
            yield chunk
        said = process.stderr.read()
        if process.wait():
            raise Failed(f"age does not open this backup: {sentence(said)}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _from_file(file: Path) -> str:
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077 and file.is_file():
            raise Failed(f"Others can read {file}: chmod 600 {file}")
        given = file.read_text(encoding="utf-8").strip("\r\n")
    except OSError as exc:
        raise Failed(f"{file} cannot be read: {reason(exc)}.") from exc
    except UnicodeDecodeError as exc:
        raise Failed(f"{file} is no text.") from exc
    if not given:
        raise Failed(f"{file} is empty.")
    return given
