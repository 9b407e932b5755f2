"""Servers to which small and capital letters are the same, as some store folders."""

from __future__ import annotations

import re

from purelymanage.migrations.engines import get_engine
from purelymanage.migrations.engines.base import CopyOptions, Verdict
from purelymanage.migrations.engines.pipeline.verifying import verify
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, silent, through

# A folder in a command, and none in a message.
_NAMED = re.compile(
    rb'^(\w+ (?:CREATE|SUBSCRIBE|SELECT|EXAMINE|STATUS|APPEND|LIST "") )'
    rb'("[^"\r\n]*")',
    re.M,
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


def test_a_plan_and_a_comparison_know_it_as_well(
    old: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(old)
    old.seed(otto, {"case": SMALL, "CASE": CAPITAL, "INVOICES": SMALL, "Up/Low": []})
    old.seed(anna, {"case": [FIRST], "invoices": SMALL[:1]})
    with Proxy(old.port, rewrite_sent=in_small_letters) as proxy:
        destination = through(proxy, old, anna)
        plan = copy(old.account(otto), destination, dry_run=True)
        outcome = copy(old.account(otto), destination)
        found = verify(old.account(otto), destination, CopyOptions(), print)

    assert (plan.messages_already_there, outcome.messages_already_there) == (2, 2)
    assert sum(it.to_copy for it in plan.folders) == outcome.messages_copied == 7
    into = {it.source: (it.destination, it.exists) for it in plan.folders}
    assert into["CASE"] == into["case"] == ("case", True)
    assert into["INVOICES"] == ("invoices", True)
    assert found.is_equal, found.differences
    assert (found.messages, found.equal, found.only_there) == (9, 9, 0)


def test_so_do_marks_and_a_plan_for_folders_that_are_not_there(
    old: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(old)
    seen = Stored(FIRST.body, frozenset({"\\Seen"}))
    old.seed(otto, {"case": SMALL, "CASE": CAPITAL, "INVOICES": [seen]})
    old.seed(anna, {"invoices": [FIRST]})
    with Proxy(old.port, rewrite_sent=in_small_letters) as proxy:
        there = through(proxy, old, anna)
        plan = copy(old.account(otto), there, dry_run=True)
        marks = CopyOptions(dry_run=False, flags_only=True)
        get_engine("pipeline").copy(old.account(otto), there, marks, silent)
    elsewhere = copy(old.account(otto), old.account(anna), dry_run=True)

    homes = {it.source: it.destination for it in plan.folders}
    assert homes["CASE"] == homes["case"]
    assert homes["INVOICES"] == "invoices"
    assert old.contents(anna, "invoices") == [seen]
    assert all(it.source == it.destination for it in elsewhere.folders)
    assert old.folders(anna) == ["INBOX", "invoices"]
