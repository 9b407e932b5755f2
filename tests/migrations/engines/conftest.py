from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from purelymanage.migrations.engines.pipeline import run
from tests.imap.dovecot import Dovecot

_NUMBERS = itertools.count(1)
# As Gmail shows all mail and what is starred.
_VIEWS = """
namespace inbox {
  mailbox "[Gmail]/All Mail" {
    special_use = \\All
  }
  mailbox "[Gmail]/Starred" {
    special_use = \\Flagged
  }
}
"""
_QUOTA = """
mail_plugins = quota
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=20K
  quota_grace = 0
  quota_max_mail_size = 10k
}
"""

NewUser = Callable[[Dovecot], str]


@pytest.fixture(scope="session")
def old() -> Iterator[Dovecot]:
    """A server with nested folders parted by slashes."""
    with Dovecot(extra=_VIEWS) as server:
        yield server


@pytest.fixture(scope="session")
def new() -> Iterator[Dovecot]:
    """A server with dots and a prefix, as Courier has them."""
    with Dovecot(layout="maildir++", separator=".", prefix="INBOX.") as server:
        yield server


@pytest.fixture(scope="session")
def small() -> Iterator[Dovecot]:
    """A server with room for 20 KB, in messages of 10 KB at most."""
    with Dovecot(extra=_QUOTA) as server:
        yield server


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for servers that are there again at once."""
    monkeypatch.setattr(run, "FIRST_PAUSE", 0.01)
    # On a busy machine, a Dovecot takes a while to store what it was sent.
    monkeypatch.setattr(run, "UNHEARD_PAUSE", 0.5)
    monkeypatch.setattr(run, "SILENT_PAUSE", 0.5)


@pytest.fixture
def new_user() -> NewUser:
    """Return a function that makes an empty mailbox on a server."""

    def add(server: Dovecot) -> str:
        user = f"user{next(_NUMBERS)}"
        server.add_user(user, f"secret of {user}")
        return user

    return add
