from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.imap.dovecot import COMPRESSING, Dovecot


@pytest.fixture(scope="session")
def server() -> Iterator[Dovecot]:
    """A server that compresses if it is asked to, and a user of it."""
    with Dovecot(extra=COMPRESSING) as dovecot:
        dovecot.add_user("otto", 'pä"ss\\: wörd €')
        yield dovecot
