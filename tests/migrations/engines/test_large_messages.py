from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.imap.dovecot import Dovecot, Stored
from tests.migrations.engines.conftest import NewUser

ROOT = Path(__file__).parents[3]
MEGABYTE = 1024 * 1024

# In a process of its own, as memory once used cannot be told from memory in use.
PROGRAM = """
import resource, sys
from purelymanage.imap.account import Account
from purelymanage.migrations.engines import get_engine
from purelymanage.migrations.engines.base import CopyOptions
accounts = [
    Account(host="127.0.0.1", port=int(port), user=user, password=password, ca_file=ca)
    for port, user, password, ca in (sys.argv[1:5], sys.argv[5:9])
]
options = CopyOptions(dry_run=False, byte_window=16 * 1024 * 1024)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
outcome = get_engine().copy(*accounts, options, lambda progress: None)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(outcome.verdict.value, outcome.messages_copied, peak)
"""


def large(number: int, size: int) -> Stored:
    head = b"Message-ID: <large%d@example.org>\r\n\r\n" % number
    line = b"%08d" % number * 9 + b"\r\n"
    return Stored(head + line * (1 + size // len(line)))


@pytest.mark.slow
def test_messages_of_50_megabytes_take_little_memory(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    sizes = [50, 1, 50, 7, 7, 0, 7, 9]
    mail = [large(n, size * MEGABYTE) for n, size in enumerate(sizes)]
    old.seed(otto, {"INBOX": mail})
    words = [
        word
        for server, user in ((old, otto), (new, anna))
        for word in (str(server.tls_port), user, server.users[user], server.ca_file)
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    verdict, copied, peak = done.stdout.split()

    assert (verdict, copied) == ("complete", str(len(mail)))
    arrived = [sha256(m.body).digest() for m in new.contents(anna, "INBOX")]
    assert sorted(arrived) == sorted(sha256(m.body).digest() for m in mail)
    assert int(peak) < 64 * 1024, f"{peak} KB"
