from __future__ import annotations

import re

from purelymanage.imap.connection import SMALL_LITERAL
from purelymanage.migrations.engines.base import Verdict
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, counted, through


def test_small_messages_wait_for_no_leave_where_they_need_not(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    mail = [Stored(message(n, 9_000 if n % 5 == 0 else 900)) for n in range(60)]
    old.seed(otto, {"INBOX": mail})

    def rewrite(data: bytes) -> bytes:
        return data.replace(b" LITERAL+", b" LITERAL-")

    with Proxy(new.port, rewrite=rewrite) as proxy:
        outcome = copy(old.account(otto), through(proxy, new, anna))

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 60)
    assert counted(new.contents(anna, "INBOX")) == counted(mail)
    sizes = re.findall(rb"APPEND [^{]*\{(\d+)(\+?)\}\r\n", proxy.sent)
    assert len(sizes) == 60
    for size, plus in sizes:
        assert bool(plus) == (int(size) <= SMALL_LITERAL)
