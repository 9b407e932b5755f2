from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.imap.dovecot import Dovecot

_NUMBERS = itertools.count(1)

NewUser = Callable[[Dovecot], str]


@pytest.fixture(scope="session")
def old() -> Iterator[Dovecot]:
    """A server with nested folders parted by slashes."""
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def new() -> Iterator[Dovecot]:
    """A server with dots and a prefix, as Courier has them."""
    with Dovecot(layout="maildir++", separator=".", prefix="INBOX.") as server:
        yield server


@pytest.fixture
def new_user() -> NewUser:
    """Return a function that makes an empty mailbox on a server."""

    def add(server: Dovecot) -> str:
        user = f"user{next(_NUMBERS)}"
        server.add_user(user, f"secret of {user}")
        return user

    return add
