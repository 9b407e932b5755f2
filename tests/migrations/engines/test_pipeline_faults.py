from __future__ import annotations

import re
import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from purelymanage.imap.account import Account
from purelymanage.imap.backoff import told_wait
from purelymanage.imap.errors import (
    CertificateRefused,
    ConnectionLost,
    LoginRefused,
    Refused,
    Unreachable,
)
from purelymanage.migrations.engines.base import (
    Phase,
    Progress,
    SameMailbox,
    Stop,
    Verdict,
)
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, through

MAIL = [Stored(message(n, 5000), frozenset({"\\Seen", "work"})) for n in range(120)]


def without_literal_plus(data: bytes) -> bytes:
    return data.replace(b" LITERAL+", b"")


@pytest.mark.slow
def test_a_server_without_literal_plus_gets_everything_too(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL, "Übung": MAIL[:7]})
    with Proxy(new.port, rewrite=without_literal_plus) as proxy:
        outcome = copy(old.account(otto), through(proxy, new, anna))

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 127)
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)
    # Several connections, and no literal that was sent without leave
    assert proxy.connections == 4
    assert not re.search(rb"\{\d+\+\}", proxy.sent)


@pytest.mark.slow
def test_a_server_without_multiappend_gets_everything_too(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL})

    def rewrite(data: bytes) -> bytes:
        return data.replace(b" MULTIAPPEND", b"")

    with Proxy(new.port, rewrite=rewrite) as proxy:
        outcome = copy(old.account(otto), through(proxy, new, anna))

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 120)
    assert proxy.sent.count(b" APPEND ") == 120
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)


@pytest.mark.slow
@pytest.mark.parametrize("cuts", [[60_000, 200_000], [700, 1300], [300_000, 90_000]])
def test_a_destination_that_breaks_off_ends_up_with_each_message_once(
    old: Dovecot, new: Dovecot, new_user: NewUser, cuts: list[int]
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL, "Archive": MAIL[:30]})
    with Proxy(new.port, cut_after_sent=[*cuts]) as proxy:
        outcome = copy(old.account(otto), through(proxy, new, anna))

    assert outcome.verdict == Verdict.COMPLETE, outcome.as_dict()
    assert outcome.messages_copied == 150
    assert proxy.connections == 3
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)
    assert counted(new.contents(anna, "INBOX.Archive")) == counted(MAIL[:30])


@pytest.mark.slow
def test_an_answer_that_is_lost_with_the_connection_makes_no_double(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL[:40]})
    cut = threading.Event()

    def swallow(data: bytes) -> bytes:
        # The message was stored, and this is the server saying so
        if b"APPENDUID" in data and not cut.is_set():
            cut.set()
            raise ConnectionResetError
        return data

    with Proxy(new.port, rewrite=swallow) as proxy:
        outcome = copy(old.account(otto), through(proxy, new, anna))

    assert cut.is_set()
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 40)
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL[:40])


@pytest.mark.slow
@pytest.mark.parametrize("cuts", [[60_000, 200_000], [900, 8_000], [400_000]])
def test_a_source_that_breaks_off_is_asked_again(
    old: Dovecot, new: Dovecot, new_user: NewUser, cuts: list[int]
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL})
    with Proxy(old.port, cut_after_received=[*cuts]) as proxy:
        outcome = copy(through(proxy, old, otto), new.account(anna))

    assert outcome.verdict == Verdict.COMPLETE, outcome.as_dict()
    assert outcome.messages_copied == 120
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)


@pytest.mark.slow
def test_one_message_that_ends_each_connection_is_left_out(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    bad = Stored(b"Message-ID: <bad@example.org>\r\n\r\nPOISON\r\n")
    old.seed(otto, {"INBOX": [*MAIL[:5], bad, *MAIL[5:10]]})
    with Proxy(new.port, poison=b"POISON") as proxy:
        outcome = copy(old.account(otto), through(proxy, new, anna))

    assert outcome.verdict == Verdict.SKIPPED, outcome.as_dict()
    assert (outcome.messages_copied, outcome.messages_failed) == (10, 1)
    assert [error.uid for error in outcome.errors] == [6]
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL[:10])


@pytest.mark.slow
def test_a_copy_stops_within_two_seconds_and_counts_truly(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL})
    asked = 0.0

    def stop(progress: Progress) -> None:
        nonlocal asked
        if progress.copied:
            asked = time.monotonic()
            raise Stop

    with Proxy(new.port, rewrite=without_literal_plus, delay=0.03) as proxy:
        outcome = copy(old.account(otto), through(proxy, new, anna), stop)
        took = time.monotonic() - asked

    assert outcome.verdict == Verdict.STOPPED
    assert took < 2
    assert 0 < outcome.messages_copied < len(MAIL)
    assert outcome.messages_copied == len(new.contents(anna, "INBOX"))


def test_a_hanging_server_does_not_keep_a_copy_from_stopping(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL})
    asked = 0.0

    def stop(progress: Progress) -> None:
        nonlocal asked
        if progress.phase == Phase.READING:
            asked = time.monotonic()
            raise Stop

    with Proxy(old.port, stall_after=5_000) as proxy:
        outcome = copy(through(proxy, old, otto), new.account(anna), stop)

    assert time.monotonic() - asked < 2
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.STOPPED, 0)


@pytest.mark.slow
def test_a_destination_that_stops_answering_does_not_keep_it_either(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL})
    asked = 0.0

    def swallow(data: bytes) -> bytes:
        return b"" if b"APPENDUID" in data else data

    with Proxy(new.port, rewrite=swallow, watch=b" APPEND ") as proxy:

        def stop(progress: Progress) -> None:
            nonlocal asked
            if proxy.seen.is_set():
                asked = time.monotonic()
                raise Stop

        outcome = copy(old.account(otto), through(proxy, new, anna), stop)

    assert time.monotonic() - asked < 2
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.STOPPED, 0)
    # What arrived without our knowing is found by the next run
    again = copy(old.account(otto), new.account(anna))
    assert again.verdict == Verdict.COMPLETE
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)


@pytest.mark.slow
def test_a_hanging_server_is_given_up_after_the_timeout(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL})
    with Proxy(old.port, stall_after=5_000) as proxy:
        outcome = copy(
            through(proxy, old, otto),
            new.account(anna),
            read_timeout=0.5,
            reconnects=0,
        )

    assert outcome.verdict == Verdict.INCOMPLETE
    assert isinstance(outcome.failure, ConnectionLost)
    assert "has said nothing for 0.5 seconds" in outcome.failure.message


def _failure(source: Account, destination: Account) -> object:
    outcome = copy(source, destination)
    assert outcome.verdict == Verdict.INCOMPLETE
    assert outcome.messages_copied == 0
    return outcome.failure


@pytest.mark.slow
def test_what_keeps_us_from_starting_is_named(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    source, destination = old.account(new_user(old)), new.account(new_user(new))

    wrong = _failure(replace(source, password="wrong"), destination)
    assert isinstance(wrong, LoginRefused)
    assert wrong.message == (
        f"The source 127.0.0.1:{old.tls_port} refused this password for {source.user}."
    )
    assert "wrong" not in wrong.technical

    wrong = _failure(source, replace(destination, password="wrong"))
    assert isinstance(wrong, LoginRefused)
    assert wrong.message.startswith(f"The destination 127.0.0.1:{new.tls_port} ref")

    untrusted = _failure(source, replace(destination, ca_file=None))
    assert isinstance(untrusted, CertificateRefused)
    assert "certificate of the destination 127.0.0.1:" in untrusted.message

    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    nobody = _failure(replace(source, port=port), destination)
    assert isinstance(nobody, Unreachable)
    assert nobody.message == f"Nobody listens at the source 127.0.0.1:{port}."


def test_a_mailbox_is_not_copied_into_itself(old: Dovecot, new_user: NewUser) -> None:
    otto = new_user(old)
    old.seed(otto, {"INBOX": MAIL})
    source = old.account(otto)

    same = _failure(source, replace(source, host="127.0.0.1.", password=""))
    assert isinstance(same, SameMailbox)
    assert not same.retry


def test_a_folder_that_was_replaced_is_read_again(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL[:30]})
    seen = 0

    def rewrite(data: bytes) -> bytes:
        nonlocal seen
        seen += data.count(b"[UIDVALIDITY ")
        return data if seen < 2 else re.sub(rb"UIDVALIDITY \d", b"UIDVALIDITY 9", data)

    with Proxy(old.port, rewrite=rewrite) as proxy:
        outcome = copy(through(proxy, old, otto), new.account(anna))

    assert proxy.connections == 2
    assert outcome.verdict == Verdict.COMPLETE
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL[:30])


@pytest.mark.slow
def test_a_server_that_asks_for_a_pause_gets_one(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL[:30]})
    refused = 0

    def rewrite(data: bytes) -> bytes:
        nonlocal refused
        if refused < 3 and b" OK [READ-ONLY]" in data:
            refused += 1
            return data.replace(b" OK [READ-ONLY]", b" NO [THROTTLED]")
        return data

    with Proxy(old.port, rewrite=rewrite) as proxy:
        outcome = copy(through(proxy, old, otto), new.account(anna))

    assert refused == 3
    assert proxy.connections == 4
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 30)
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL[:30])


@pytest.mark.slow
@pytest.mark.parametrize(("words", "connections"), [("299 s", 1), ("300 ms", 2)])
def test_a_server_that_says_how_long_is_left_alone_for_that(
    old: Dovecot, new: Dovecot, new_user: NewUser, words: str, connections: int
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL[:3]})
    refusals = [f" NO [THROTTLED] Suggested Backoff Time: {words}".encode()]

    def rewrite(data: bytes) -> bytes:
        if refusals and b" OK [READ-ONLY]" in data:
            return data.replace(b" OK [READ-ONLY]", refusals.pop())
        return data

    with Proxy(old.port, rewrite=rewrite) as proxy:
        outcome = copy(through(proxy, old, otto), new.account(anna))

    assert proxy.connections == connections
    assert not refusals
    if connections > 1:
        assert outcome.verdict == Verdict.COMPLETE
    else:
        assert isinstance(outcome.failure, Refused)
        assert told_wait(outcome.failure.technical) == timedelta(seconds=299)
