"""How the panel bears a large account: python -m tests.benchmarks.load

Starts a PostgreSQL of its own and fills it: 10,000 mailboxes, 1,000 domains, 5,000
rules, 10,000 jobs with their runs, and 1,000,000 audit entries whose chain is whole.
Then it asks an owner's way for each page of the panel, each part that htmx gets and what
live pages ask for, and says how long each takes and whether it takes more queries than
with a tenth of the rows (`--pages` for this alone). At last it starts the panel's web
server and lets people look at live pages for some minutes (`--people 50 --minutes 10`),
while copies move. Ends with 1 if something was slower than it may be, took more queries
where there is more, failed, or took more and more memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.load.database import another_database, running_database
from tests.benchmarks.load.size import Size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", action="store_true", help="measure pages alone")
    parser.add_argument("--no-pages", action="store_true", help="only let people look")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--times", type=int, default=20, help="that each is asked for")
    parser.add_argument("--only", default="", help="part of the names of pages")
    parser.add_argument("--divide", type=int, default=1, help="a smaller account")
    wishes = parser.parse_args()
    with running_database() as folder:
        from tests.benchmarks.load import filling, pages, people

        size = Size().divided(wishes.divide)
        before = None
        if not wishes.no_pages:
            with timed("counting queries with a tenth"), another_database():
                owner = filling.fill(size.divided(10))
                before = pages.count(owner, wishes.only)
        with timed("filling"):
            owner = filling.fill(size)
        is_well = True
        if not wishes.no_pages:
            found = pages.measure(owner, wishes.times, wishes.only, before)
            is_well = pages.tell(found)
        if not wishes.pages:
            told = people.measure(folder, people=wishes.people, minutes=wishes.minutes)
            people.tell(told, wishes.people)
            is_well &= told.is_well
        return 0 if is_well else 1


@contextmanager
def timed(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    sys.stdout.write(f"{what}: {time.monotonic() - begun:.1f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
