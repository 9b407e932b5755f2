"""Puts a backup back: see `deploy/restore --help`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from deploy.backups import files, opening, programs, settings, terminal
from deploy.backups.backup import DEFAULT_FOLDER, list_tables
from deploy.backups.opening import About, Lock
from deploy.backups.problems import Failed
from deploy.backups.programs import PSQL, Programs, Running
from deploy.backups.settings import Settings
from deploy.backups.stream import CHUNK
from deploy.backups.terminal import say
from purelymanage import operating
from purelymanage.environment import BASE_DIR

MORE = """\
Stop the web server and the workers first. The database that DATABASE_URL names is
filled, and the keys of the backup are written where the settings have theirs: into the
files that NAME_FILE names, or into the env file. So are other settings of the backup
that have no value here, but for those about a machine; what is set stays as it is. The
whole backup is read before anything is changed, and the database is either changed
completely or not at all.

On another machine: ./deploy/install, stop the services, ./deploy/restore, start them.
Where deploy/install has put the panel, its own user purelymanage does this, and has to
be able to read the backup.

  ./deploy/restore /mnt/backups/purelymanage-20260101T030000Z.backup
  ./deploy/restore --passphrase-file /etc/purelymanage/secrets/BACKUP --overwrite newest
"""
EMPTY = """
DO $$
DECLARE found record;
BEGIN
  FOR found IN SELECT relname, relkind FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
  LOOP
    EXECUTE format('DROP %s IF EXISTS public.%I CASCADE', CASE found.relkind
      WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
      found.relname);
  END LOOP;
END $$;
"""
RUNNING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND starts_with(application_name, 'purelymanage keys ')
"""
# What the workers will do as soon as they run.
OVERDUE = """
SELECT count(*) FROM deletions_pendingdeletion
WHERE state = 'waiting' AND delete_after <= now()
"""
WAITING_MAIL = "SELECT count(*) FROM audit_outgoingmail WHERE settled_at IS NULL"


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    return terminal.run(lambda: _restore(given))


def _restore(given: argparse.Namespace) -> None:
    path = (
        files.newest(given.folder)
        if given.backup == "newest"
        else terminal.path(given.backup)
    )
    found = settings.load(given.env_file)
    url = found.get("DATABASE_URL")
    if not url:
        raise Failed("DATABASE_URL is not set: name the env file with --env-file.")
    passphrase = ""
    if given.identity is None:
        passphrase = opening.ask_passphrase(given.passphrase_file, twice=False)
    lock = Lock(passphrase, given.identity)
    tools = programs.find(programs.address_of(url))

    say(f"Reading {path}")
    with opening.opened(path, lock) as (about, chunks):
        say(f"  It is of {about.in_words}.")
        _refuse_newer(about, tools)
        list_tables(tools.folder, chunks)
    say("  It is whole.")
    _refuse_keyless(about, found)
    if about.settings:
        # Or the database would be filled, and nothing open what is in it.
        settings.to_change(found, about.settings)

    say(f"Database {tools.address.name}")
    _refuse_running(tools)
    if _has_content(tools) and not given.overwrite:
        raise Failed(
            "  There is something in this database already. To replace it for good, "
            "run this again with --overwrite."
        )
    with opening.opened(path, lock) as (about, chunks):
        _fill(tools, chunks)
    say("  It is filled.")

    say("Keys")
    changed = settings.put_back(found, about.settings) if about.settings else []
    say(f"  {', '.join(changed)} written." if changed else "  They are the same.")

    say("Migrations, if this program is newer")
    _manage(found, "migrate", "--no-input", "--verbosity", "0")
    say("Audit log")
    _manage(found, "verify_audit")
    _tell_what_comes(tools, about)


def _refuse_newer(about: About, tools: Programs) -> None:
    """Look whether this program knows all that the database of the backup has."""
    unknown = []
    for migration in about.migrations:
        app, _, name = migration.partition(".")
        folder = BASE_DIR / "purelymanage" / app / "migrations"
        if folder.is_dir() and not _knows(folder, name):
            unknown.append(migration)
    if unknown:
        raise Failed(
            "  The backup was made by a newer version of the panel, which had "
            f"{', '.join(unknown[:3])}. Install that version first."
        )
    server = int(tools.ask("SHOW server_version_num")[0]) // 10_000
    if server < int(about.postgresql.split(".")[0]):
        say(
            f"  Note: it comes from PostgreSQL {about.postgresql}, and this one is "
            f"{server}. If it refuses, nothing is changed."
        )


def _knows(folder: Path, migration: str) -> bool:
    """Whether there is such a migration, or one that replaces it."""
    return (folder / f"{migration}.py").exists() or any(
        f'"{migration}"' in path.read_text(encoding="utf-8")
        for path in folder.glob("0*.py")
    )


def _refuse_keyless(about: About, found: Settings) -> None:
    if not about.settings and not all(map(found.get, settings.NEEDED)):
        raise Failed(
            "  The backup has no keys, and the settings here have none either."
        )


def _refuse_running(tools: Programs) -> None:
    if tools.ask(RUNNING) != ["0"]:
        raise Failed("  The panel is running: stop the web server and the workers.")


def _has_content(tools: Programs) -> bool:
    """Whether the database holds what somebody has worked with."""
    if tools.ask("SELECT to_regclass('public.accounts_user') IS NULL") == ["t"]:
        return False
    people, entries = tools.ask(
        "SELECT count(*) FROM accounts_user; SELECT count(*) FROM audit_entry"
    )
    return (people, entries) != ("0", "0")


def _fill(tools: Programs, chunks: Iterator[bytes]) -> None:
    """Replace what is in the database, all of it or nothing.

    The last word is ours: whatever ends before it leaves the database as it was.
    """
    script = ("--no-owner", "--no-privileges", "--no-comments", "--file=-")
    with (
        tools.start(
            "psql", *PSQL, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as database,
        tools.start("pg_restore", *script, stdin=subprocess.PIPE) as reader,
    ):
        database.write(f"BEGIN;{EMPTY}".encode())
        pump = threading.Thread(target=_pump, args=(reader, database))
        pump.start()
        try:
            for chunk in chunks:
                if not reader.write(chunk):
                    break
            reader.finish("  The backup cannot be read; nothing was changed")
        finally:
            reader.process.kill()
            pump.join()
        database.write(b"COMMIT;\n")
        database.finish("  The database refused; nothing was changed")


def _pump(reader: Running, database: Running) -> None:
    is_listening = True
    while chunk := reader.read(CHUNK):
        # What refuses has said why; the reader must come to its end all the same.
        is_listening = is_listening and database.write(chunk)


def _manage(found: Settings, *arguments: str) -> None:
    """Run a command of the panel with the settings that were put back."""
    env = dict(os.environ)
    if found.path is not None:
        env["ENV_FILE"] = str(found.path.absolute())
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        say(f"  {line}")
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["it gave no reason"]
        raise Failed(f"  manage.py {arguments[0]}: {reason[0]}")


def _tell_what_comes(tools: Programs, about: About) -> None:
    """Say what the panel will do that somebody may not want any more."""
    (overdue,) = tools.ask(OVERDUE)
    if overdue != "0":
        say(
            f"Note: deletions that fell due since the backup was made: {overdue}. They "
            "are carried out as soon as the workers run. Start the web server alone, "
            "and cancel them, where that is not wanted any more."
        )
    (mails,) = tools.ask(WAITING_MAIL)
    if mails != "0":
        say(
            f"Note: mails that were on their way when the backup was made: {mails}. "
            "They go out once more."
        )
    age = datetime.now(UTC) - datetime.fromisoformat(about.made_at)
    say(
        f"Restored as of {about.made_at} ({_days(age.days)}). Everybody signs in "
        f"again. Start the services, then look: {operating.command('doctor')}"
    )


def _days(count: int) -> str:
    if not count:
        return "less than a day ago"
    return "a day ago" if count == 1 else f"{count} days ago"


def _parser() -> argparse.ArgumentParser:
    parser = terminal.parser(
        "restore",
        "Put a backup back: the database of the panel and its keys.",
        MORE,
    )
    add = parser.add_argument
    add("backup", metavar="BACKUP", help="a file, or newest: the newest in --from")
    add(
        "--from",
        dest="folder",
        metavar="FOLDER",
        type=terminal.path,
        default=Path(DEFAULT_FOLDER),
        help=f"where the newest is looked for ({DEFAULT_FOLDER})",
    )
    add(
        "--identity",
        metavar="FILE",
        type=terminal.path,
        help="the private key of age, for a backup that age has encrypted",
    )
    add(
        "--overwrite",
        action="store_true",
        help="replace a database that holds people or audit entries",
    )
    return parser


if __name__ == "__main__":
    terminal.become(main)
