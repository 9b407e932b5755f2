from __future__ import annotations

from pathlib import Path

import pytest

from purelymanage.figures import thin
from purelymanage.migrations.engines.base import Phase, Progress, Verdict
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import FOLDERS, mailbox, message
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted

PLAIN = Stored(message(1))


@pytest.mark.slow
def test_1500_messages_arrive_byte_for_byte_and_once(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, mailbox(1500))
    source, destination = old.account(otto), new.account(anna)

    outcome = copy(source, destination)

    assert outcome.verdict == Verdict.COMPLETE, outcome.as_dict()
    assert outcome.messages_copied == 1500
    assert outcome.errors == []
    for name in FOLDERS:
        there = name if name == "INBOX" else "INBOX." + name.replace("/", ".")
        before, after = old.contents(otto, name), new.contents(anna, there)
        assert counted(after) == counted(before), name
    # Nothing but these folders
    assert len(new.folders(anna)) == len(FOLDERS)

    again = copy(source, destination)
    assert again.verdict == Verdict.COMPLETE
    assert (again.messages_copied, again.messages_already_there) == (0, 1500)


@pytest.mark.slow
def test_nothing_changes_at_the_source(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": [PLAIN], "Archive": [Stored(message(2))]})
    # Let Dovecot write its own files first
    before = old.contents(otto, "INBOX") + old.contents(otto, "Archive")
    files = _messages(old.maildir(otto))

    copy(old.account(otto), new.account(anna))

    assert old.contents(otto, "INBOX") + old.contents(otto, "Archive") == before
    assert all("\\Seen" not in stored.flags for stored in before)
    assert _messages(old.maildir(otto)) == files


def test_a_dry_run_tells_the_plan_and_writes_nothing(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    large = Stored(message(3, 9000))
    old.seed(otto, {"INBOX": [PLAIN, large], "Archive": [Stored(message(2))]})
    new.seed(anna, {"INBOX": [PLAIN]})
    before = _messages(new.maildir(anna))

    outcome = copy(old.account(otto), new.account(anna), dry_run=True)

    assert (outcome.verdict, outcome.dry_run) == (Verdict.COMPLETE, True)
    inbox, archive = outcome.folders
    assert (inbox.source, inbox.destination, inbox.exists) == ("INBOX", "INBOX", True)
    assert (inbox.messages, inbox.already_there, inbox.to_copy) == (2, 1, 1)
    assert inbox.bytes_to_copy == inbox.largest == len(large.body)
    assert (archive.destination, archive.exists) == ("INBOX.Archive", False)
    assert (archive.messages, archive.already_there, archive.to_copy) == (1, 0, 1)
    assert outcome.messages_copied == 0
    assert new.folders(anna) == ["INBOX"]
    assert _messages(new.maildir(anna)) == before


def test_messages_that_share_an_identity_are_all_copied(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    twins = [
        Stored(b"Message-ID: <same@example.org>\r\n\r\nfirst\r\n"),
        Stored(b"Message-ID: <same@example.org>\r\n\r\nsecond\r\n"),
        Stored(b"Message-ID: <same@example.org>\r\n\r\nfirst\r\n"),
    ]
    old.seed(otto, {"INBOX": twins})
    # The second one is there already, so it is the others that are missing
    new.seed(anna, {"INBOX": [twins[1]]})

    outcome = copy(old.account(otto), new.account(anna))

    assert (outcome.messages_copied, outcome.messages_already_there) == (2, 1)
    assert counted(new.contents(anna, "INBOX")) == counted(twins)
    assert copy(old.account(otto), new.account(anna)).messages_copied == 0


def test_messages_without_identity_are_copied_once(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    poor = [
        Stored(b"From: a@example.org\r\nSubject: nightly\r\n\r\nok\r\n"),
        Stored(b"From: a@example.org\r\nSubject: nightly\r\n\r\nbad\r\n"),
        Stored(b"From: a@example.org\r\nSubject: nightly\r\n\r\nbad\r\n"),
        Stored(b"\r\nno header at all\r\n"),
        Stored(b"\r\nno header at all\r\n", date="02-Feb-2020 03:04:05 +0000"),
        Stored(b"Subject: only a header\r\n\r\n"),
        Stored(b"Broken header without colon\r\n\r\nbody\r\n"),
        Stored(b"Message-ID:\r\n\r\nan empty one\r\n"),
        Stored(b"Subject: no line end"),
    ]
    old.seed(otto, {"INBOX": poor})

    outcome = copy(old.account(otto), new.account(anna))

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, len(poor))
    assert counted(new.contents(anna, "INBOX")) == counted(poor)
    again = copy(old.account(otto), new.account(anna))
    assert (again.messages_copied, again.messages_already_there) == (0, len(poor))


def test_new_mail_is_all_that_a_later_run_copies(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": [PLAIN]})
    copy(old.account(otto), new.account(anna))
    late = Stored(message(2), frozenset({"\\Flagged"}))
    old.seed(otto, {"INBOX": [late]})

    outcome = copy(old.account(otto), new.account(anna))

    assert (outcome.messages_copied, outcome.messages_already_there) == (1, 1)
    assert counted(new.contents(anna, "INBOX")) == counted([PLAIN, late])


def test_folders_go_both_ways_between_dots_and_slashes(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    anna, otto = new_user(new), new_user(old)
    new.seed(anna, {"INBOX": [PLAIN], "INBOX.Kunden.Müller": [Stored(message(2))]})

    outcome = copy(new.account(anna), old.account(otto))

    assert outcome.verdict == Verdict.COMPLETE
    assert "Kunden/Müller" in old.folders(otto)
    assert counted(old.contents(otto, "Kunden/Müller")) == counted([Stored(message(2))])


def test_a_dot_in_a_name_does_not_become_a_level(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"Projects/v1.2": [PLAIN]})

    for copied in (1, 0):
        outcome = copy(old.account(otto), new.account(anna))
        assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, copied)

    assert counted(new.contents(anna, "INBOX.Projects.v1_2")) == counted([PLAIN])


def test_special_folders_find_their_counterparts(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"Gesendet": [PLAIN], "Spam": [Stored(message(2))]})
    new.seed(anna, {"INBOX.Sent": [], "INBOX.Junk": []})

    outcome = copy(old.account(otto), new.account(anna))

    into = {folder.source: folder.destination for folder in outcome.folders}
    assert into["Gesendet"] == "INBOX.Sent"
    assert into["Spam"] == "INBOX.Junk"
    assert counted(new.contents(anna, "INBOX.Sent")) == counted([PLAIN])
    assert "INBOX.Gesendet" not in new.folders(anna)


def test_two_folders_may_go_into_one_without_doubles(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    both = [PLAIN, Stored(message(2)), Stored(message(3))]
    old.seed(otto, {"a.b": both[:2], "a_b": both[1:]})

    for copied in (4, 0):
        outcome = copy(old.account(otto), new.account(anna))
        assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, copied)

    assert counted(new.contents(anna, "INBOX.a_b")) == counted([*both[:2], *both[1:]])


def test_subscriptions_follow(old: Dovecot, new: Dovecot, new_user: NewUser) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"Wanted": [PLAIN], "Hidden": [PLAIN]})
    client = old.connect(otto)
    client.unsubscribe("Hidden")
    client.logout()

    copy(old.account(otto), new.account(anna))

    client = new.connect(anna)
    listed = b"".join(line for line in client.lsub()[1] if isinstance(line, bytes))
    client.logout()
    assert b"Wanted" in listed
    assert b"Hidden" not in listed


def test_what_the_destination_refuses_is_named_and_the_rest_arrives(
    old: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(old)
    # Dovecot keeps no empty messages, so one is put there behind its back
    old.seed(otto, {"INBOX": [PLAIN, Stored(message(2))]})
    empty = old.maildir(otto) / "cur" / "1580000000.M1.host,S=0,W=0:2,"
    empty.write_bytes(b"")

    outcome = copy(old.account(otto), old.account(anna))

    assert outcome.verdict == Verdict.SKIPPED
    assert (outcome.messages_copied, outcome.messages_failed) == (2, 1)
    assert [error.folder for error in outcome.errors] == ["INBOX"]
    assert outcome.errors[0].reason.startswith("The destination refused it")


def test_messages_above_the_limit_are_left_out_and_named(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": [PLAIN, Stored(message(2, 50_000))]})

    outcome = copy(old.account(otto), new.account(anna), max_message_bytes=10_000)

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.SKIPPED, 1)
    assert [error.uid for error in outcome.errors] == [2]
    assert f"{thin(10_000)} bytes" in outcome.errors[0].reason


def test_a_full_mailbox_ends_the_run_with_a_reason(
    old: Dovecot, small: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(small)
    old.seed(otto, {"INBOX": [Stored(message(n, 5000)) for n in range(10)]})

    outcome = copy(old.account(otto), small.account(anna))

    assert outcome.verdict == Verdict.INCOMPLETE
    assert outcome.failure is not None
    assert outcome.failure.message == "The destination takes no more messages."
    assert outcome.messages_copied == len(small.contents(anna, "INBOX")) < 10


def test_a_window_smaller_than_a_message_still_lets_it_through(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    mail = [Stored(message(n, 30_000)) for n in range(20)]
    old.seed(otto, {"INBOX": mail})

    outcome = copy(old.account(otto), new.account(anna), byte_window=4096)

    assert outcome.verdict == Verdict.COMPLETE
    assert counted(new.contents(anna, "INBOX")) == counted(mail)


def test_reports_tell_each_phase_in_order(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": [PLAIN]})
    seen: list[Progress] = []

    outcome = copy(old.account(otto), new.account(anna), seen.append)

    phases = [progress.phase for progress in seen]
    assert phases == sorted(phases, key=list(Phase).index)
    assert phases[-1] == Phase.DONE
    assert seen[-1].copied == outcome.messages_copied == 1
    lines = [line for progress in seen for line in progress.log]
    assert "INBOX: 1 message, 0 already there, 1 to copy" in lines
    assert not any("secret of" in line for line in lines)


def test_a_caller_that_dies_takes_the_copy_along(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": [PLAIN]})

    def die(progress: Progress) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        copy(old.account(otto), new.account(anna), die)


def _messages(maildir: Path) -> set[tuple[str, int]]:
    """Return name and size of each message; new ones carry no flags in their names."""
    return {
        (path.name, path.stat().st_size)
        for folder in ("cur", "new")
        for path in maildir.rglob(f"{folder}/*")
    }
