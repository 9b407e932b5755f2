"""What the real program would never do, played by a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from purelymanage.imap.errors import Refused
from purelymanage.migrations.engines.base import (
    CopyOptions,
    Outcome,
    Progress,
    Stop,
    Verdict,
)
from purelymanage.migrations.engines.imapsync import process
from purelymanage.migrations.engines.imapsync.engine import ImapsyncEngine
from purelymanage.migrations.engines.imapsync.outcome import NotRun
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import silent
from tests.migrations.engines.imapsync.fake import Fake

MAIL = [Stored(message(n)) for n in range(40)]
WANTED = CopyOptions(dry_run=False)


@pytest.fixture
def otto(old: Dovecot, new_user: NewUser) -> str:
    user = new_user(old)
    old.seed(user, {"INBOX": MAIL})
    return user


def stop_when_copying(progress: Progress) -> None:
    if progress.copied:
        raise Stop


def played(
    fake: Fake, old: Dovecot, new: Dovecot, otto: str, new_user: NewUser
) -> Callable[..., Outcome]:
    target = new.account(new_user(new))

    def copy(report: Callable[[Progress], None] = silent) -> Outcome:
        return ImapsyncEngine(fake.program).copy(
            old.account(otto), target, WANTED, report
        )

    return copy


SUCCESS = (
    "Host1: success login on [h] with user [u] auth [LOGIN]",
    "Host2: success login on [h] with user [u] auth [LOGIN]",
    "The sync looks good, all 40 identified messages in host1 are on host2.",
    "Exiting with return value 0 (EX_OK: successful termination) 0/50 "
    "nb_errors/max_errors PID 1",
)


def test_its_own_word_is_no_success(
    old: Dovecot, new: Dovecot, otto: str, new_user: NewUser, tmp_path: Path
) -> None:
    fake = Fake(tmp_path)
    fake.plan(*SUCCESS)
    outcome = played(fake, old, new, otto, new_user)()
    assert (outcome.verdict, outcome.failure) == (Verdict.INCOMPLETE, None)
    (error,) = outcome.errors
    assert error.reason == "40 messages are not at the destination."
    assert outcome.messages_copied == 0


def test_an_empty_folder_has_to_be_there_too(
    old: Dovecot, new: Dovecot, otto: str, new_user: NewUser, tmp_path: Path
) -> None:
    user = new_user(old)
    old.seed(user, {"Empty": []})
    fake = Fake(tmp_path)
    words = "Could not create folder [INBOX.Empty] from [Empty]: 7 NO Not that name"
    fake.plan(*SUCCESS[:2], "Folder 1/1 [Empty]  -> [INBOX.Empty]", words, SUCCESS[3])
    outcome = played(fake, old, new, user, new_user)()
    assert outcome.verdict == Verdict.INCOMPLETE
    (error,) = outcome.errors
    assert (error.folder, error.uid) == ("Empty", 0)
    assert error.reason == (
        "The folder is not at the destination. "
        "The folder could not be opened or created: Not that name"
    )


def test_one_that_says_nothing_useful_names_the_other_engine(
    old: Dovecot, new: Dovecot, otto: str, new_user: NewUser, tmp_path: Path
) -> None:
    fake = Fake(tmp_path)
    fake.plan("Unknown option: f1f2", status=64)
    outcome = played(fake, old, new, otto, new_user)()
    assert isinstance(outcome.failure, NotRun)
    assert "engine pipeline" in outcome.failure.message
    assert outcome.verdict == Verdict.INCOMPLETE


@pytest.mark.slow
def test_one_that_will_not_stop_is_stopped_in_time(
    old: Dovecot,
    new: Dovecot,
    otto: str,
    new_user: NewUser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "ABORT", 0.4)
    monkeypatch.setattr(process, "TERM", 0.4)
    fake = Fake(tmp_path)
    fake.plan(
        *SUCCESS[:2],
        "Folder 1/1 [INBOX]   -> [INBOX]",
        "msg INBOX/1 {100}   copied to INBOX/1   1 msgs/s",
        seconds=60,
    )
    outcome = played(fake, old, new, otto, new_user)(stop_when_copying)
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.STOPPED, 1)
    assert outcome.seconds < 6
    assert fake.signals == ["SIGTERM"]
    assert not Path(f"/proc/{fake.facts['pid']}").exists()


def test_one_that_asks_to_be_left_alone_is_not_pressed(
    old: Dovecot, new: Dovecot, otto: str, new_user: NewUser, tmp_path: Path
) -> None:
    fake = Fake(tmp_path)
    fake.plan(
        *SUCCESS[:2],
        "Folder 1/1 [INBOX]   -> [INBOX]",
        "- msg INBOX/1 {100} could not append ( Subject:[s], Date:[d], Size:[100], "
        "Flags:[] ) to folder INBOX: 5 NO [THROTTLED] later",
        seconds=60,
        ends_by="abort",
    )
    outcome = played(fake, old, new, otto, new_user)()
    assert isinstance(outcome.failure, Refused)
    assert (outcome.failure.code, outcome.failure.retry) == ("THROTTLED", True)
    assert outcome.seconds < 10
