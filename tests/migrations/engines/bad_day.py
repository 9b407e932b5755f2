"""A small mailbox copied over two bad lines, until the engine says that it is done."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from purelymanage.migrations.engines.base import CopyOptions, Outcome, Verdict
from purelymanage.migrations.engines.pipeline.engine import PipelineEngine
from tests.imap.chaos import Chaos
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.migrations.engines.copying import counted, silent, through

FOLDERS = {"INBOX": 25, "Archive/2019": 15, "Sent": 5}
# As a job would be tried again.
MOST_RUNS = 12
ENGINE = PipelineEngine()
OPTIONS = CopyOptions(
    dry_run=False, connect_timeout=2, read_timeout=1, byte_window=200_000
)


@dataclass(slots=True)
class Report:
    seed: int
    runs: int
    connections: int
    met: Counter[str]
    # By folder: what is not there, and what is there too often.
    lost: int
    doubled: int
    outcome: Outcome

    @property
    def is_equal(self) -> bool:
        complete = self.outcome.verdict == Verdict.COMPLETE
        return complete and not self.lost and not self.doubled


def fill(server: Dovecot, user: str) -> None:
    """Put a mailbox there with twins, poor messages and one that is large."""
    chance = random.Random(user)  # noqa: S311 - not a secret
    for name, count in FOLDERS.items():
        mail = [
            Stored(
                message(chance.randrange(1 << 30), chance.choice([400, 900, 4000])),
                frozenset(chance.sample(["\\Seen", "\\Flagged", "work"], k=2)),
            )
            for _ in range(count)
        ]
        mail += [mail[0], Stored(b"From: cron\r\nSubject: nightly\r\n\r\nok\r\n")]
        mail += [mail[-1], Stored(b"\r\nnothing but a body\r\n")]
        server.seed(user, {name: [*mail, Stored(message(1, 60_000))]})


def copy_on_a_bad_day(
    old: Dovecot, user: str, new: Dovecot, fresh: str, *, seed: int
) -> Report:
    with Chaos(old.port, seed=seed) as from_there, Chaos(new.port, seed=~seed) as to:
        source, destination = through(from_there, old, user), through(to, new, fresh)
        runs, outcome = 1, ENGINE.copy(source, destination, OPTIONS, silent)
        while outcome.verdict != Verdict.COMPLETE and runs < MOST_RUNS:
            runs += 1
            outcome = ENGINE.copy(source, destination, OPTIONS, silent)
        met = from_there.met + to.met
        connections = from_there.connections + to.connections
    lost = doubled = 0
    made = new.folders(fresh)
    for name in FOLDERS:
        there = (
            name if name == "INBOX" else new.prefix + name.replace("/", new.separator)
        )
        before = Counter(map(str, counted(old.contents(user, name))))
        found = new.contents(fresh, there) if there in made else []
        after = Counter(map(str, counted(found)))
        lost += (before - after).total()
        doubled += (after - before).total()
    return Report(seed, runs, connections, met, lost, doubled, outcome)
