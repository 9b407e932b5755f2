"""Many small copies while everything around them fails, and what came of it.

    python -m tests.benchmarks.storm --jobs 200 --kills 10 --outage 60

It starts a PostgreSQL server, two Dovecots and both clusters of its own, imports the
jobs from two tables, kills workers at random moments, stops a mail server for a while
and restarts the database once. It prints one object and ends with 0 only if every
mailbox arrived whole, nothing twice, and no limit was ever exceeded.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purelymanage.quickstart.postgres import Cluster as Database
    from tests.imap.dovecot import Dovecot

PARALLEL, IN_BATCH, AT_SERVER = 4, 3, 4
WORKERS = 8
# Of a worker that is not heard of for so long nothing comes any more.
DEAD_AFTER = 6.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--messages", type=int, default=5)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--outage", type=float, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--hurry",
        action="store_true",
        help="copy without plans, do not wait for leases",
    )
    wishes = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="storm-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # The server's own user has to pass through.
        folder.chmod(0o711)
        database = _start_database(folder, stack)
        told = Storm(wishes, database, folder, stack).run()
    print(json.dumps(told, indent=2))  # noqa: T201
    return 0 if told["passed"] else 1


def _start_database(folder: Path, stack: ExitStack) -> Database:
    from purelymanage.quickstart.postgres import Cluster as Database

    database = Database(folder / "postgres", log=folder / "postgres.log", durable=False)
    stack.callback(database.remove)
    stack.callback(database.stop)
    database.start()
    database.create_database("storm")
    os.environ["DATABASE_URL"] = database.url("storm")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return database


class Storm:
    def __init__(
        self,
        wishes: argparse.Namespace,
        database: Database,
        folder: Path,
        stack: ExitStack,
    ) -> None:
        from tests.imap.dovecot import Dovecot
        from tests.migrations.worker import Cluster

        self.wishes, self.database, self.folder = wishes, database, folder
        self.chance = random.Random(wishes.seed)  # noqa: S311  # the same each time
        self.old = stack.enter_context(Dovecot())
        self.new = stack.enter_context(Dovecot())
        self._fill()
        self._prepare()
        self.copies = stack.enter_context(Cluster(workers=WORKERS))
        self.others = stack.enter_context(Cluster("default", workers=2))
        self.killed = 0
        self.leases: dict[int, tuple[Any, float]] = {}

    def run(self) -> dict[str, Any]:
        from purelymanage.migrations.models import Job, Run

        began = time.monotonic()
        self._import()
        imported = time.monotonic()
        jobs = self.wishes.jobs
        # Moments by what has been done, as nobody knows how fast this machine is.
        kills = sorted(
            self.chance.sample(range(jobs // 20, jobs * 9 // 10), self.wishes.kills)
        )
        outage_at: float | None = jobs * 0.5
        restart_at: float | None = jobs * 0.7
        self.outage_ends: float | None = None
        finished = Run.objects.filter(dry_run=False, finished_at__isnull=False)
        while True:
            with self._database():
                done = finished.count()
                if done >= jobs and not Run.objects.open().exists():
                    break
                self._confirm_plans()
                if self.wishes.hurry:
                    self._hurry()
                if kills and done >= kills[0]:
                    kills.pop(0)
                    self._kill_one()
                if Job.objects.filter(login__in=["waiting", "trying"]).exists():
                    # What becomes of those in an outage is another story.
                    done = 0
            if outage_at is not None and done >= outage_at:
                outage_at = None
                self.new.stop()
                self.outage_ends = time.monotonic() + self.wishes.outage
            if self.outage_ends and time.monotonic() > self.outage_ends:
                self.outage_ends = None
                assert self.new.start()
            if restart_at is not None and done >= restart_at:
                restart_at = None
                self.database.stop()
                self.database.start()
            if time.monotonic() - began > 60 + 6 * jobs:
                break
            for cluster in (self.copies, self.others):
                assert cluster.is_alive, cluster.output()[-4000:]
            time.sleep(0.2)
        return self._judge(
            {
                "jobs": Job.objects.count(),
                "kills": self.killed,
                "seconds_to_import": round(imported - began, 1),
                "seconds": round(time.monotonic() - began, 1),
            }
        )

    # Before

    def _fill(self) -> None:
        """Write the mailboxes as files, which is quicker than through IMAP."""
        from tests.imap.mail import message

        for number in range(self.wishes.jobs):
            user = f"user{number}"
            self.old.add_user(user, f"old-{number}")
            self.new.add_user(user, f"new-{number}")
            for name in ("", "Archive"):
                for part in ("cur", "new", "tmp"):
                    (self.old.maildir(user) / name / part).mkdir(parents=True)
            for n in range(self.wishes.messages):
                body = message(number * 1000 + n, 600)
                name = "Archive" if n % 3 == 2 else ""
                place = self.old.maildir(user) / name / "cur" / f"{n}.storm:2,S"
                place.write_bytes(body.replace(b"\r\n", b"\n"))
            self.old.own(user)

    def _prepare(self) -> None:
        from purelymanage.accounts.models import User
        from purelymanage.accounts.permissions import Role
        from purelymanage.migrations.models import QueueRules, Server

        owner = User.objects.create_user("owner@example.org", None, role=Role.OWNER)
        for name, dovecot in (("Old", self.old), ("New", self.new)):
            Server.objects.create(
                name=name,
                host=dovecot.host,
                port=dovecot.tls_port,
                verify_certificate=False,
                engine="pipeline",
                parallel_runs=AT_SERVER,
                created_by=owner,
            )
        QueueRules.objects.create(pk=1, parallel_runs=PARALLEL)

    def _import(self) -> None:
        from django.core.management import call_command

        from purelymanage.migrations.models import Batch

        for half in range(2):
            path = self.folder / f"half{half}.csv"
            with path.open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(
                    ["source", "password", "destination", "destination password"]
                )
                for n in range(half, self.wishes.jobs, 2):
                    rows.writerow([f"user{n}", f"old-{n}", f"user{n}", f"new-{n}"])
            call_command(
                "import_jobs",
                str(path),
                server="Old",
                destination_server="New",
                stdout=sys.stderr,
            )
        Batch.objects.update(parallel_runs=IN_BATCH)

    # Meanwhile

    @contextmanager
    def _database(self) -> Iterator[None]:
        from django.db import InterfaceError, OperationalError, connection

        try:
            yield
        except (InterfaceError, OperationalError):
            connection.close()

    def _confirm_plans(self) -> None:
        from purelymanage.accounts.models import User
        from purelymanage.migrations.models import Run
        from purelymanage.migrations.operations import runs

        plans = Run.objects.newest_of_jobs().filter(dry_run=True, state=Run.State.DONE)
        owner = User.objects.get()
        for plan in plans.select_related("job")[:20]:
            runs.queue_run(job=plan.job, dry_run=False, actor=owner)

    def _kill_one(self) -> None:
        """Kill a worker, one that is at work rather than one that waits for some."""
        workers = self.copies.workers()
        self.chance.shuffle(workers)
        for pid in sorted(workers, key=_sockets, reverse=True):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed += 1
                return

    def _hurry(self) -> None:
        """Let plans be copies, killed workers be missed sooner, and waits be short."""
        from django.utils import timezone

        from purelymanage.migrations.models import Run

        waiting = Run.objects.queued().filter(handed_at=None, dry_run=True)
        waiting.update(dry_run=False)
        soon = timezone.now() + timedelta(seconds=2)
        Run.objects.queued().filter(not_before__gt=soon).update(not_before=soon)
        now = time.monotonic()
        for pk, lease in Run.objects.running().values_list("pk", "lease_until"):
            known, since = self.leases.get(pk, (None, now))
            if known != lease:
                self.leases[pk] = lease, now
            elif now - since > DEAD_AFTER:
                held = Run.objects.running().filter(pk=pk, lease_until=lease)
                held.update(lease_until=timezone.now())

    # Afterwards

    def _judge(self, told: dict[str, Any]) -> dict[str, Any]:
        from purelymanage.migrations.models import Attempt, Run
        from tests.migrations.proof import gaps, most_at_once

        newest = Run.objects.newest_of_jobs()
        wrong = [
            f"user{n}"
            for n in range(self.wishes.jobs)
            if _found(self.old, f"user{n}") != _found(self.new, f"user{n}")
        ]
        attempts = list(Attempt.objects.select_related("run__job"))
        batches = {it.run.job.batch_id for it in attempts}
        free = gaps(attempts, at_once=PARALLEL, in_batch=IN_BATCH)
        told |= {
            "states": dict(Counter(newest.values_list("state", flat=True))),
            "verdicts": dict(Counter(newest.values_list("verdict", flat=True))),
            "attempts": len(attempts),
            "ends": dict(Counter(it.end for it in attempts)),
            "troubles": dict(Counter(it.trouble for it in attempts if it.trouble)),
            "mailboxes_that_differ": wrong,
            "most_at_once": most_at_once(attempts),
            "most_at_once_in_a_batch": max(
                most_at_once([it for it in attempts if it.run.job.batch_id == batch])
                for batch in batches
            ),
            "seconds_until_a_slot_is_filled": free,
        }
        told["passed"] = (
            told["verdicts"] == {"complete": self.wishes.jobs}
            and not wrong
            and told["most_at_once"] <= PARALLEL
            and told["most_at_once_in_a_batch"] <= IN_BATCH
        )
        return told


def _sockets(pid: int) -> int:
    """Return how many sockets a process has open: most of all while it copies."""
    with suppress(OSError):
        return sum(
            str(it.readlink()).startswith("socket:")
            for it in Path(f"/proc/{pid}/fd").iterdir()
        )
    return 0


def _found(dovecot: Dovecot, user: str) -> Counter[tuple[str, bytes]]:
    """Return each message of a mailbox by its folder, past IMAP."""
    found: Counter[tuple[str, bytes]] = Counter()
    home = dovecot.maildir(user)
    for path in home.rglob("*"):
        if path.parent.name in {"cur", "new"} and path.is_file():
            folder = path.parent.parent.relative_to(home)
            body = path.read_bytes().replace(b"\r\n", b"\n")
            found[str(folder), body] += 1
    return found


if __name__ == "__main__":
    sys.exit(main())
