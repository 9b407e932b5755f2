"""Writes a backup, or looks whether one is whole: see `deploy/backup --help`."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol

from deploy.backups import files, opening, programs, settings, stream, terminal
from deploy.backups.opening import About, Lock
from deploy.backups.problems import Failed
from deploy.backups.programs import Programs, sentence
from deploy.backups.terminal import say

DEFAULT_FOLDER = "/var/lib/purelymanage/backups"
# Of no worth elsewhere: what was looked up, tasks that sweeps ask for again, sign-ins.
WITHOUT_ROWS = ("cache", "django_q_ormq", "django_session")
MORE = """\
A backup holds the database and, unless --without-keys is given, all settings with their
secrets: whoever has it and its passphrase has everything. Write the passphrase down
where neither this machine nor its backups are needed to read it.

It is written under another name until all of it is on the disk, so that a backup that
was interrupted never takes the place of an earlier one. deploy/restore puts it back.

Where deploy/install has put it, the panel's own user purelymanage writes the backup,
and has to be able to read the file of the passphrase. Keep a copy on another machine.

  ./deploy/backup --passphrase-file /etc/purelymanage/secrets/BACKUP
  ./deploy/backup --to /mnt/backups --age-recipient age1… --keep-days 14 --keep-weeks 8
  ./deploy/backup --passphrase-file /etc/purelymanage/secrets/BACKUP --check newest
"""


class Sink(Protocol):
    def write(self, data: bytes) -> None: ...
    def finish(self) -> None: ...


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    if given.check is not None:
        return terminal.run(lambda: _check(given))
    return terminal.run(lambda: _back_up(given))


def _back_up(given: argparse.Namespace) -> None:
    if given.keep_weeks and not given.keep_days:
        raise Failed("--keep-weeks is about what --keep-days does not keep: give both.")
    passphrase = ""
    if not given.age_recipient:
        passphrase = opening.ask_passphrase(given.passphrase_file, twice=True)
        opening.check_passphrase(passphrase)
    found = settings.load(given.env_file)
    url = found.get("DATABASE_URL")
    if not url:
        raise Failed("DATABASE_URL is not set: name the env file with --env-file.")
    kept = {} if given.without_keys else found.all()
    missing = [it for it in settings.NEEDED if it not in kept]
    if missing and not given.without_keys:
        raise Failed(f"{', '.join(missing)} would be missing from the backup.")
    tools = programs.find(programs.address_of(url))
    now = datetime.now(UTC)
    kind = "age" if given.age_recipient else "passphrase"
    with files.locked(given.to):
        with (
            files.writing(given.to, now, kind=kind) as (path, file),
            _sink(file, passphrase, given.age_recipient) as sink,
        ):
            sink.write(_about(tools, now, kept).as_line())
            _dump(tools, sink)
        say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
        if given.keep_days:
            old = files.prune(
                given.to, days=given.keep_days, weeks=given.keep_weeks, now=now
            )
            for gone in old:
                say(f"{gone}: removed, as it is older than what is kept")


def _about(tools: Programs, now: datetime, kept: dict[str, str]) -> About:
    applied = tools.ask(
        "SELECT app || '.' || name FROM django_migrations ORDER BY app, name"
    )
    return About(
        made_at=now.isoformat(timespec="seconds"),
        base_url=kept.get("BASE_URL", "a panel"),
        postgresql=tools.ask("SHOW server_version")[0].split()[0],
        migrations=applied,
        audit_entries=int(tools.ask("SELECT count(*) FROM audit_entry")[0]),
        settings=kept,
    )


def _dump(tools: Programs, sink: Sink) -> None:
    arguments = ["--format=custom", "--no-owner", "--no-privileges", "--no-password"]
    arguments += [f"--exclude-table-data=public.{name}" for name in WITHOUT_ROWS]
    with tools.start("pg_dump", *arguments) as running:
        while chunk := running.read(stream.CHUNK):
            sink.write(chunk)
        running.finish("pg_dump did not finish")


@contextlib.contextmanager
def _sink(file: BinaryIO, passphrase: str, recipient: str | None) -> Iterator[Sink]:
    if recipient is None:
        writer = stream.Writer(file, passphrase)
        yield writer
        writer.finish()
        return
    process = subprocess.Popen(
        [opening.age(), "--encrypt", "--recipient", recipient],
        stdin=subprocess.PIPE,
        stdout=file,
        stderr=subprocess.PIPE,
    )
    pipe = _Pipe(process)
    try:
        yield pipe
        pipe.finish()
    finally:
        process.kill()
        process.wait()


class _Pipe:
    """Takes what `age` is to seal."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except BrokenPipeError:
            self._fail()

    def finish(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._process.wait():
            self._fail()

    def _fail(self) -> NoReturn:
        assert self._process.stderr is not None
        raise Failed(f"age did not finish: {sentence(self._process.stderr.read())}")


def _check(given: argparse.Namespace) -> None:
    """Open a backup to its end, and let `pg_restore` read what is in it."""
    path = (
        files.newest(given.to)
        if given.check == "newest"
        else terminal.path(given.check)
    )
    passphrase = ""
    if given.identity is None:
        passphrase = opening.ask_passphrase(given.passphrase_file, twice=False)
    with opening.opened(path, Lock(passphrase, given.identity)) as (about, chunks):
        tables = list_tables(programs.newest_folder(), chunks)
    say(f"{path}: whole, of {about.in_words}, {tables} tables.")


def list_tables(folder: Path, chunks: Iterator[bytes]) -> int:
    """Let `pg_restore` list what is in a dump; return how many tables have rows."""
    nowhere = Programs(programs.Address({}, ""), folder)
    with (
        tempfile.TemporaryFile() as listed,
        nowhere.start(
            "pg_restore", "--list", stdin=subprocess.PIPE, stdout=listed
        ) as running,
    ):
        is_listening = True
        for chunk in chunks:
            # It stops after the list; we read on to see that all is there.
            is_listening = is_listening and running.write(chunk)
        running.finish("The database in it cannot be read")
        listed.seek(0)
        return sum(b" TABLE DATA " in line for line in listed)


def _parser() -> argparse.ArgumentParser:
    parser = terminal.parser(
        "backup",
        "Back up the panel: its database and its keys, encrypted.",
        MORE,
    )
    add = parser.add_argument
    add(
        "--to",
        metavar="FOLDER",
        type=terminal.path,
        default=Path(DEFAULT_FOLDER),
        help=f"where backups are ({DEFAULT_FOLDER})",
    )
    add(
        "--age-recipient",
        metavar="KEY",
        help="encrypt by the program age to this public key instead",
    )
    add(
        "--without-keys",
        action="store_true",
        help="the database alone; it is of no use without the keys",
    )
    add("--keep-days", metavar="N", type=_count, default=0, help="keep N days of them")
    add(
        "--keep-weeks",
        metavar="N",
        type=_count,
        default=0,
        help="and one of each of the last N weeks; the newest is never removed",
    )
    add(
        "--check",
        metavar="FILE",
        help="write nothing, but look whether this backup, or the newest, is whole",
    )
    add(
        "--identity",
        metavar="FILE",
        type=terminal.path,
        help="with --check: the private key of age",
    )
    return parser


def _count(given: str) -> int:
    if not given.isdecimal() or not 0 < int(given) < 10_000:
        raise argparse.ArgumentTypeError("a number from 1 to 9999")
    return int(given)


if __name__ == "__main__":
    terminal.become(main)
