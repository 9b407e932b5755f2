"""A destination that goes silent may still be at work on what it was sent."""

from __future__ import annotations

import pytest

from purelymanage.imap.errors import ConnectionLost, ImapError, WentSilent
from purelymanage.migrations.engines.base import Verdict
from purelymanage.migrations.engines.pipeline import run
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, through

MAIL = [Stored(message(n, 500)) for n in range(20)]


def test_it_is_given_longer_where_it_owes_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "FIRST_PAUSE", 1.0)
    monkeypatch.setattr(run, "SILENT_PAUSE", 15.0)
    silence, loss = WentSilent("Nothing."), ConnectionLost("Lost.")

    assert run.pause_after(silence, 1, unanswered=True) == 15
    assert run.pause_after(silence, 2, unanswered=True) == run.LONGEST_PAUSE
    assert run.pause_after(silence, 1, unanswered=False) == 1
    assert run.pause_after(loss, 1, unanswered=True) == 1


@pytest.mark.slow
def test_what_it_was_sent_and_did_not_answer_is_known(
    old: Dovecot, new: Dovecot, new_user: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL})
    met: list[tuple[type[ImapError], bool]] = []
    real = run.pause_after

    def note(failure: ImapError, failures: int, *, unanswered: bool) -> float:
        met.append((type(failure), unanswered))
        return real(failure, failures, unanswered=unanswered)

    def swallow(data: bytes) -> bytes:
        return b"" if b"APPENDUID" in data and proxy.connections == 1 else data

    monkeypatch.setattr(run, "pause_after", note)
    with Proxy(new.port, rewrite=swallow) as proxy:
        outcome = copy(
            old.account(otto), through(proxy, new, anna), read_timeout=1, reconnects=9
        )

    assert outcome.verdict == Verdict.COMPLETE, outcome.as_dict()
    assert met[0] == (WentSilent, True)
    assert counted(new.contents(anna, "INBOX")) == counted(MAIL)
