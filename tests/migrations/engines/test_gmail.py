from __future__ import annotations

import pytest

from purelymanage.migrations.engines.base import Verdict
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, through


def as_gmail(data: bytes) -> bytes:
    return data.replace(b" IMAP4rev1 ", b" IMAP4rev1 X-GM-EXT-1 ")


@pytest.mark.slow
def test_labels_become_folders_and_nothing_is_copied_twice(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    first, second, alone = (Stored(message(number)) for number in range(3))
    # Another message with the identity of the first
    twin = Stored(first.body + b"a footer\r\n")
    otto, anna = new_user(old), new_user(new)
    old.seed(
        otto,
        {
            "INBOX": [first, second],
            "Label": [second],
            "[Gmail]/All Mail": [first, second, alone, twin],
            "[Gmail]/Starred": [first],
        },
    )
    with Proxy(old.port, rewrite=as_gmail) as proxy:
        source = through(proxy, old, otto)
        outcome = copy(source, new.account(anna))
        again = copy(source, new.account(anna))

    assert outcome.verdict == again.verdict == Verdict.COMPLETE, outcome.as_dict()
    assert (outcome.messages_copied, again.messages_copied) == (5, 0)
    assert counted(new.contents(anna, "INBOX")) == counted([first, second])
    assert counted(new.contents(anna, "INBOX.Label")) == counted([second])
    everything = new.contents(anna, "INBOX.[Gmail].All Mail")
    assert counted(everything) == counted([alone, twin])
    assert "INBOX.[Gmail].Starred" not in new.folders(anna)
