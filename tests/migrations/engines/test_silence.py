"""A destination may still be at work on what it was sent when something breaks."""

from __future__ import annotations

import pytest

from purelymanage.imap.errors import ConnectionLost, ImapError, WentSilent
from purelymanage.migrations.engines.base import Verdict
from purelymanage.migrations.engines.pipeline import run
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.imap.scripted import Scripted
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, through
from tests.migrations.engines.test_growing import ABLE, Inbox
from tests.migrations.engines.test_growing import MAIL as LETTERS

MAIL = [Stored(message(n, 500)) for n in range(20)]


def test_it_is_given_longer_where_it_owes_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "FIRST_PAUSE", 1.0)
    monkeypatch.setattr(run, "UNHEARD_PAUSE", 3.0)
    monkeypatch.setattr(run, "SILENT_PAUSE", 15.0)
    silence, loss = WentSilent("Nothing."), ConnectionLost("Lost.")

    assert run.pause_after(silence, 1, unheard=True) == 15
    assert run.pause_after(silence, 2, unheard=True) == run.LONGEST_PAUSE
    assert run.pause_after(silence, 1, unheard=False) == 1
    assert run.pause_after(loss, 1, unheard=True) == 3
    assert run.pause_after(loss, 2, unheard=False) == 2


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[tuple[type[ImapError], bool]]:
    """What broke, and whether something was sent of which nothing was heard."""
    met: list[tuple[type[ImapError], bool]] = []
    real = run.pause_after

    def note(failure: ImapError, failures: int, *, unheard: bool) -> float:
        met.append((type(failure), unheard))
        return real(failure, failures, unheard=unheard)

    monkeypatch.setattr(run, "pause_after", note)
    return met


@pytest.mark.slow
def test_what_it_was_sent_and_did_not_answer_is_known(
    old: Dovecot,
    new: Dovecot,
    new_user: NewUser,
    met: list[tuple[type[ImapError], bool]],
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL})

    def swallow(data: bytes) -> bytes:
        return b"" if b"APPENDUID" in data and proxy.connections == 1 else data

    with Proxy(new.port, rewrite=swallow) as proxy:
        outcome = copy(
            old.account(otto), through(proxy, new, anna), read_timeout=1, reconnects=9
        )

    assert outcome.verdict == Verdict.COMPLETE, outcome.as_dict()
    assert met[0] == (WentSilent, True)
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)


@pytest.mark.slow
def test_it_is_heard_to_the_end_where_the_source_breaks_off(
    old: Dovecot, new_user: NewUser, met: list[tuple[type[ImapError], bool]]
) -> None:
    otto, inbox = new_user(old), Inbox(ABLE + b" LITERAL+", seconds=0.01)
    old.seed(otto, {"INBOX": map(Stored, LETTERS)})
    with (
        Proxy(old.port, cut_after_received=[90_000]) as proxy,
        Scripted(inbox.serve) as server,
    ):
        outcome = copy(through(proxy, old, otto), server.account())

    assert outcome.verdict == Verdict.COMPLETE, outcome.as_dict()
    assert met == [(ConnectionLost, False)]
    assert sorted(inbox.stored) == sorted(LETTERS)
