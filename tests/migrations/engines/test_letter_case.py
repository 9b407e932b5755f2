"""Servers to which small and capital letters are the same, as some store folders."""

from __future__ import annotations

import re

from purelymanage.migrations.engines.base import Verdict
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, through

# A folder in a command, and none in a message.
_NAMED = re.compile(
    rb'^(\w+ (?:CREATE|SUBSCRIBE|SELECT|EXAMINE|APPEND|LIST "") )("[^"\r\n]*")', re.M
)
FIRST, TWIN = (
    Stored(b"Message-ID: <same@example.org>\r\n\r\n%s\r\n" % it)
    for it in (b"one", b"another")
)
SMALL = [FIRST, Stored(message(1)), Stored(message(2))]
CAPITAL = [TWIN, Stored(message(2)), Stored(message(3))]


def in_small_letters(data: bytes) -> bytes:
    return _NAMED.sub(lambda found: found[1] + found[2].lower(), data)


def test_folders_that_differ_in_letters_alone_become_one_without_a_loss(
    old: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(old)
    old.seed(otto, {"case": SMALL, "CASE": CAPITAL, "Case": [Stored(message(9))]})
    # As an earlier run left it that was broken off
    old.seed(anna, {"case": [FIRST]})
    everything = [*SMALL, *CAPITAL, Stored(message(9))]
    with Proxy(old.port, rewrite_sent=in_small_letters) as proxy:
        destination = through(proxy, old, anna)
        outcome = copy(old.account(otto), destination)
        again = copy(old.account(otto), destination)

    assert outcome.verdict == again.verdict == Verdict.COMPLETE, outcome.as_dict()
    assert (outcome.messages_copied, outcome.messages_already_there) == (6, 1)
    assert counted(old.contents(anna, "case")) == counted(everything)
    assert old.folders(anna) == ["INBOX", "case"]
    into = {it.source: it.destination for it in outcome.folders}
    assert into == {"INBOX": "INBOX", "case": "case", "CASE": "case", "Case": "case"}
    assert (again.messages_copied, again.messages_already_there) == (0, 7)


def test_a_folder_of_other_letters_is_filled(old: Dovecot, new_user: NewUser) -> None:
    otto, anna = new_user(old), new_user(old)
    old.seed(otto, {"INVOICES": SMALL})
    old.seed(anna, {"invoices": SMALL[:1]})
    with Proxy(old.port, rewrite_sent=in_small_letters) as proxy:
        outcome = copy(old.account(otto), through(proxy, old, anna))

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 2)
    assert counted(old.contents(anna, "invoices")) == counted(SMALL)


def test_elsewhere_they_stay_apart(old: Dovecot, new_user: NewUser) -> None:
    otto, anna = new_user(old), new_user(old)
    old.seed(otto, {"case": SMALL, "CASE": CAPITAL})

    outcome = copy(old.account(otto), old.account(anna))

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 6)
    assert counted(old.contents(anna, "case")) == counted(SMALL)
    assert counted(old.contents(anna, "CASE")) == counted(CAPITAL)
