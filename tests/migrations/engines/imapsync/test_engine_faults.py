from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

from purelymanage.imap.errors import ProtocolError, Refused
from purelymanage.migrations.engines.base import (
    CopyOptions,
    Progress,
    Stop,
    Verdict,
)
from purelymanage.migrations.engines.imapsync.engine import ImapsyncEngine
from purelymanage.migrations.engines.imapsync.outcome import Interrupted
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import counted, silent, through

pytestmark = pytest.mark.slow

MAIL = [Stored(message(n, 3000), frozenset({"\\Seen"})) for n in range(40)]
WANTED = CopyOptions(dry_run=False, read_timeout=20)
# Slow enough to be caught in the middle.
SLOWLY = replace(WANTED, messages_a_second=8)


@pytest.fixture
def otto(old: Dovecot, new_user: NewUser) -> str:
    user = new_user(old)
    old.seed(user, {"INBOX": MAIL})
    return user


def programs(parent: int) -> list[int]:
    """Return the processes that somebody has started and that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def after(copied: int, do: Callable[[], None]) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.copied >= copied:
            do()

    return report


def stop() -> None:
    raise Stop


def test_a_copy_is_stopped_gently(
    engine: ImapsyncEngine, old: Dovecot, new: Dovecot, otto: str, new_user: NewUser
) -> None:
    anna = new_user(new)
    log: list[str] = []
    asked: list[float] = []

    def stop_now() -> None:
        asked.append(time.monotonic())
        raise Stop

    def report(progress: Progress) -> None:
        log.extend(progress.log)
        after(3, stop_now)(progress)

    outcome = engine.copy(old.account(otto), new.account(anna), SLOWLY, report)
    assert time.monotonic() - asked[0] < 8
    assert f"Messages transferred : {outcome.messages_copied}" in log
    assert (outcome.verdict, outcome.failure) == (Verdict.STOPPED, None)
    there = new.contents(anna, "INBOX")
    assert 3 <= outcome.messages_copied == len(there) < 40
    assert outcome.bytes_copied == sum(len(it.body) for it in there)

    rest = engine.copy(old.account(otto), new.account(anna), WANTED, silent)
    assert rest.verdict == Verdict.COMPLETE
    assert rest.messages_already_there == len(there)
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)


def test_one_that_is_killed_resumes_without_duplicates(
    engine: ImapsyncEngine, old: Dovecot, new: Dovecot, otto: str, new_user: NewUser
) -> None:
    anna, before = new_user(new), set(programs(os.getpid()))

    def kill() -> None:
        for pid in set(programs(os.getpid())) - before:
            os.kill(pid, signal.SIGKILL)

    outcome = engine.copy(old.account(otto), new.account(anna), SLOWLY, after(2, kill))
    assert isinstance(outcome.failure, Interrupted)
    assert outcome.failure.retry
    assert outcome.verdict == Verdict.INCOMPLETE
    # Counted on both sides, not by what it said before it died.
    assert outcome.messages_copied == len(new.contents(anna, "INBOX"))

    rest = engine.copy(old.account(otto), new.account(anna), WANTED, silent)
    assert rest.verdict == Verdict.COMPLETE
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)


def test_whatever_ends_the_worker_ends_the_program(
    engine: ImapsyncEngine, old: Dovecot, new: Dovecot, otto: str, new_user: NewUser
) -> None:
    before = set(programs(os.getpid()))

    def time_out() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        engine.copy(
            old.account(otto), new.account(new_user(new)), SLOWLY, after(1, time_out)
        )
    assert set(programs(os.getpid())) <= before


def test_a_full_destination_is_told_at_once(
    engine: ImapsyncEngine, old: Dovecot, otto: str, small: Dovecot, new_user: NewUser
) -> None:
    anna = new_user(small)
    outcome = engine.copy(old.account(otto), small.account(anna), WANTED, silent)
    there = small.contents(anna, "INBOX")
    assert isinstance(outcome.failure, Refused)
    assert outcome.failure.code == "OVERQUOTA"
    assert outcome.failure.message == "The destination takes no more messages."
    assert outcome.verdict == Verdict.INCOMPLETE
    assert 0 < outcome.messages_copied == len(there) < 40


def test_what_is_too_large_is_left_out_and_named(
    engine: ImapsyncEngine, old: Dovecot, small: Dovecot, new_user: NewUser
) -> None:
    user, anna = new_user(old), new_user(small)
    mail = [Stored(message(n, 20_000 if n in {2, 5} else 800)) for n in range(8)]
    old.seed(user, {"INBOX": mail})
    failed: list[int] = []
    outcome = engine.copy(
        old.account(user),
        small.account(anna),
        WANTED,
        lambda it: failed.append(it.failed),
    )
    assert failed[-1] == 2
    assert len(small.contents(anna, "INBOX")) == 6
    assert (outcome.verdict, outcome.failure) == (Verdict.SKIPPED, None)
    assert (outcome.messages_copied, outcome.messages_failed) == (6, 2)
    assert [(error.folder, error.uid) for error in outcome.errors] == [
        ("INBOX", 3),
        ("INBOX", 6),
    ]
    assert all("larger than" in error.reason for error in outcome.errors)
    assert all(error.arrived_at for error in outcome.errors)


def test_a_server_that_only_imapsync_understands_is_copied(
    engine: ImapsyncEngine, old: Dovecot, new: Dovecot, otto: str, new_user: NewUser
) -> None:
    def spoil(data: bytes) -> bytes:
        # The answer to our question about headers, and to no other.
        return data.replace(b"(MESSAGE-ID RECEIVED)] {", b"(MESSAGE-ID RECEIVED)] {x")

    anna = new_user(new)
    snapshots: list[Progress] = []
    with Proxy(old.port, rewrite=spoil) as proxy:
        outcome = engine.copy(
            through(proxy, old, otto), new.account(anna), WANTED, snapshots.append
        )
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)
    # All is there, but nobody whom we trust has counted it.
    assert outcome.verdict == Verdict.INCOMPLETE
    assert isinstance(outcome.failure, ProtocolError)
    assert "could not be counted" in outcome.failure.message
    assert outcome.messages_copied == 40
    assert snapshots[-1].to_copy == 40


def test_the_command_line_takes_it(
    engine: ImapsyncEngine, new: Dovecot, new_user: NewUser, tmp_path: Path
) -> None:
    users = {"source": new_user(new), "destination": new_user(new)}
    new.seed(users["source"], {"INBOX": MAIL})
    command = [f"--ca-file={new.ca_file}", "--engine=imapsync", "--json"]
    for side, user in users.items():
        (tmp_path / side).write_text(new.users[user] + "\n")
        command += [
            f"--{side}=imaps://localhost:{new.tls_port}",
            f"--{side}-user={user}",
            f"--{side}-password-file={tmp_path / side}",
        ]
    printed = StringIO()
    with override_settings(IMAPSYNC_BIN=engine._program):
        call_command("copy_mailbox", *command, stdout=printed)
    result = json.loads(printed.getvalue())
    assert (result["verdict"], result["messages_copied"]) == ("complete", 40)
