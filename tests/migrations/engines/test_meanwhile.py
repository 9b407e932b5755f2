"""Mailboxes so large that copying begins while other folders are still looked at."""

from __future__ import annotations

import time

import pytest

from purelymanage.migrations.engines.base import Phase, Progress, Stop, Verdict
from purelymanage.migrations.engines.pipeline import run
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, through

FIRST = [Stored(message(number)) for number in range(20)]
LAST = [Stored(message(number)) for number in range(20, 30)]
# In the last folder, which is read from here on when somebody allows it.
MARK = b"<of the last folder@example.org>"
MARKED = Stored(b"Message-ID: " + MARK + b"\r\n\r\ntext\r\n")


@pytest.fixture
def otto(old: Dovecot, new_user: NewUser, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(run, "LONG_LOOK", 0)
    user = new_user(old)
    old.seed(user, {"INBOX": FIRST, "Last": [*LAST, MARKED]})
    return user


@pytest.mark.slow
def test_what_is_known_is_copied_while_the_rest_is_read(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser
) -> None:
    anna = new_user(new)
    seen: list[Progress] = []
    with Proxy(old.port, hold=MARK) as here, Proxy(new.port) as there:

        def watch(progress: Progress) -> None:
            seen.append(progress)
            if progress.copied == len(FIRST):
                here.released.set()

        source, destination = through(here, old, otto), through(there, new, anna)
        outcome = copy(source, destination, watch)

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 31)
    assert counted(new.contents(anna, "INBOX")) == counted(FIRST)
    assert counted(new.contents(anna, "INBOX.Last")) == counted([*LAST, MARKED])
    assert (here.connections, there.connections) == (2, 2)
    # Nobody is told how much there is to copy before it is known
    early = [it for it in seen if it.phase == Phase.READING]
    assert early[-1].copied == len(FIRST)
    assert {it.to_copy for it in seen if it.phase == Phase.COPYING} <= {31}
    phases = [it.phase for it in seen]
    assert phases == sorted(phases, key=list(Phase).index)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_server_that_allows_one_connection_is_looked_at_first(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser, side: str
) -> None:
    anna = new_user(new)
    with (
        Proxy(new.port, most=1 if side == "destination" else None) as there,
        Proxy(old.port, most=1 if side == "source" else None, hold=MARK) as here,
    ):
        strict = here if side == "source" else there
        here.released = strict.refused
        outcome = copy(through(here, old, otto), through(there, new, anna))

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 31)
    assert counted(new.contents(anna, "INBOX")) == counted(FIRST)
    assert strict.connections == 1


@pytest.mark.slow
def test_it_can_be_stopped_meanwhile_and_counts_truly(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser
) -> None:
    anna = new_user(new)
    asked = 0.0

    def stop(progress: Progress) -> None:
        nonlocal asked
        if progress.copied:
            asked = time.monotonic()
            raise Stop

    with Proxy(old.port, hold=MARK) as here:
        outcome = copy(through(here, old, otto), new.account(anna), stop)
        took = time.monotonic() - asked
        here.released.set()

    assert (outcome.verdict, took < 2) == (Verdict.STOPPED, True)
    assert outcome.messages_copied == len(new.contents(anna, "INBOX"))


@pytest.mark.slow
def test_a_line_that_breaks_meanwhile_makes_no_double(
    old: Dovecot, otto: str, new: Dovecot, new_user: NewUser
) -> None:
    anna = new_user(new)
    with Proxy(old.port, hold=MARK) as here, Proxy(new.port) as there:
        broken = here.released

        def break_it(data: bytes) -> bytes:
            # Stored, and nobody will hear of it
            if b"APPENDUID" in data and not broken.is_set():
                broken.set()
                raise ConnectionResetError
            return data

        there.rewrite = break_it
        outcome = copy(through(here, old, otto), through(there, new, anna))

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 31)
    assert counted(new.contents(anna, "INBOX")) == counted(FIRST)
    assert counted(new.contents(anna, "INBOX.Last")) == counted([*LAST, MARKED])
