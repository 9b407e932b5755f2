"""How long a long audit chain takes to write, to verify and to look at.

    DATABASE_URL=… python -m tests.benchmarks.audit_chain --rows 1000000

Fills the database it is given, which should be an empty one.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django

BATCH = 5_000


@contextmanager
def timed(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    say(f"{what}: {time.perf_counter() - begun:.2f} s")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fill(rows: int) -> None:
    from django.db import connection, transaction

    from purelymanage.audit import log
    from purelymanage.audit.events import Event
    from purelymanage.audit.models import Agent, Entry

    chance = random.Random(1)  # noqa: S311  # the same rows each time
    plain: dict[str, str] = {}
    kinds = [
        (Event.MAILBOX_APPEARED, plain),
        (Event.SIGNED_IN, plain),
        (Event.MAILBOX_CHANGED, {"changes": "search indexing on, spam filtering off"}),
        (
            Event.RUN_FAILED,
            {
                "kind": "the copy",
                "source": "anna@old-provider.example",
                "reason": "The password was refused by the old provider: wrong ü.",
            },
        ),
    ]
    missing = rows - Entry.objects.head()[0]
    for _ in range(0, missing, BATCH):
        with transaction.atomic():
            entries = []
            for _ in range(BATCH):
                event, details = chance.choice(kinds)
                target = f"box{chance.randrange(5_000)}@d{chance.randrange(40)}.org"
                actor = chance.choice([Agent.PANEL, Agent.OUTSIDE])
                entries.append(
                    log.note(event, actor=actor, target=target, diff=None, **details)
                )
            log.record_many(entries)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_entry")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "purelymanage.settings")
    django.setup()
    from purelymanage.audit.models import Entry
    from purelymanage.audit.verification import walk

    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows

    with timed(f"writing up to {rows:,} entries"):
        fill(rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with timed(f"verifying {Entry.objects.head()[0]:,} entries"):
        found = walk()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    say(f"memory grew by {grown / 1024:.1f} MB; {found.problem or 'whole'}")


if __name__ == "__main__":
    main()
