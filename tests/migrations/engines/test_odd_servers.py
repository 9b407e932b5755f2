from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from purelymanage.migrations.engines.base import Outcome, Verdict
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, through

MAIL = [Stored(message(n, 900), frozenset({"\\Seen"})) for n in range(8)]
ALL_BUT_THE_THIRD = MAIL[:2] + MAIL[3:]
Rewrite = Callable[[bytes], bytes]


def copy_from(
    old: Dovecot, otto: str, new: Dovecot, anna: str, rewrite: Rewrite
) -> Outcome:
    with Proxy(old.port, rewrite=rewrite) as proxy:
        return copy(through(proxy, old, otto), new.account(anna))


@pytest.fixture
def otto(old: Dovecot, new_user: NewUser) -> str:
    user = new_user(old)
    old.seed(user, {"INBOX": MAIL, "Archive": MAIL[:2]})
    return user


def test_a_message_that_is_listed_and_not_handed_out_is_skipped(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser
) -> None:
    def hide(data: bytes) -> bytes:
        return data.replace(b"(UID 3 FLAGS", b"(UID 9 FLAGS")

    outcome = copy_from(old, otto, new, anna := new_user(new), hide)

    assert outcome.verdict == Verdict.SKIPPED, outcome.as_dict()
    assert [(error.folder, error.uid) for error in outcome.errors] == [("INBOX", 3)]
    assert outcome.errors[0].reason == "The source lists it and does not hand it out."
    assert counted(new.contents(anna, "INBOX")) == counted(ALL_BUT_THE_THIRD)


def test_a_message_that_is_only_counted_is_reported(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser
) -> None:
    def hide(data: bytes) -> bytes:
        return data.replace(b"(UID 3 RFC822.SIZE", b"(UIX 3 RFC822.SIZE")

    outcome = copy_from(old, otto, new, anna := new_user(new), hide)

    assert (outcome.verdict, outcome.messages_failed) == (Verdict.SKIPPED, 1)
    reason = "The source counts 1 message more than it tells about."
    assert [(error.folder, error.reason) for error in outcome.errors] == [
        ("INBOX", reason)
    ]
    assert counted(new.contents(anna, "INBOX")) == counted(ALL_BUT_THE_THIRD)


def test_a_folder_is_read_around_a_message_that_the_source_stumbles_over(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser
) -> None:
    anna = new_user(new)

    def covers(uids: bytes) -> bool:
        first, _, last = uids.partition(b":")
        return int(first) <= 3 <= (9 if last == b"*" else int(last or first))

    with Proxy(old.port) as proxy:

        def stumble(data: bytes) -> bytes:
            data = data.replace(b"(UID 3 RFC822.SIZE", b"(UIX 3 RFC822.SIZE")
            for tag, uids in re.findall(
                rb"(P\d+) UID FETCH (\S+) .UID RFC", proxy.sent
            ):
                if covers(uids):
                    data = data.replace(tag + b" OK Fetch", tag + b" NO Fetch")
            return data

        proxy.rewrite = stumble
        outcome = copy(through(proxy, old, otto), new.account(anna))

    assert (outcome.verdict, outcome.messages_failed) == (Verdict.SKIPPED, 1)
    assert counted(new.contents(anna, "INBOX")) == counted(ALL_BUT_THE_THIRD)
    assert counted(new.contents(anna, "INBOX.Archive")) == counted(MAIL[:2])


@pytest.mark.slow
def test_a_message_that_makes_the_source_talk_nonsense_is_skipped(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser
) -> None:
    def garble(data: bytes) -> bytes:
        return data.replace(b"(UID 3 FLAGS", b"(UID ) FLAGS")

    outcome = copy_from(old, otto, new, anna := new_user(new), garble)

    assert outcome.verdict == Verdict.SKIPPED, outcome.as_dict()
    assert [error.uid for error in outcome.errors] == [3]
    assert counted(new.contents(anna, "INBOX")) == counted(ALL_BUT_THE_THIRD)


@pytest.mark.slow
def test_a_folder_that_is_replaced_again_and_again_fails_alone(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser
) -> None:
    times = 0

    def replace_it(data: bytes) -> bytes:
        def other(found: re.Match[bytes]) -> bytes:
            nonlocal times
            times += 1
            return b"8 EXISTS%sUIDVALIDITY %010d" % (found[1], times)

        # The inbox alone has so many messages
        return re.sub(rb"8 EXISTS((?s:.){,99}?)UIDVALIDITY \d+", other, data)

    outcome = copy_from(old, otto, new, anna := new_user(new), replace_it)

    assert (outcome.verdict, outcome.failure) == (Verdict.INCOMPLETE, None)
    reason = "The source replaces this folder again and again."
    assert [(error.folder, error.reason) for error in outcome.errors] == [
        ("INBOX", reason)
    ]
    assert counted(new.contents(anna, "INBOX.Archive")) == counted(MAIL[:2])
    # And nothing was taken for what it is not
    assert new.contents(anna, "INBOX") == []


@pytest.mark.slow
def test_a_folder_that_is_deleted_at_the_destination_is_made_again(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"Archive": MAIL})
    client = new.connect(anna)

    def without_batches(data: bytes) -> bytes:
        if b"APPENDUID" in data:
            client.delete("INBOX.Archive")
        return data.replace(b" MULTIAPPEND", b"").replace(b" LITERAL+", b"")

    with Proxy(new.port, rewrite=without_batches) as proxy:
        outcome = copy(old.account(otto), through(proxy, new, anna))
    client.logout()

    assert outcome.failure is None, outcome.as_dict()
    again = copy(old.account(otto), new.account(anna))
    assert again.verdict == Verdict.COMPLETE
    assert counted(new.contents(anna, "INBOX.Archive")) == counted(MAIL)
