"""Many small copies while everything around them fails, and what came of it.

    python -m tests.benchmarks.storm --jobs 200 --kills 10 --outage 60

It starts a PostgreSQL server, two Dovecots and both clusters of its own, imports the
jobs from two tables, kills workers at random moments, stops a mail server for a while
and restarts the database once. It prints one object and ends with 0 only if every
mailbox arrived whole, nothing twice, no limit was ever exceeded, all was killed that
was to be, and half of all free slots were filled within a second. In a hurry the last
does not count: the suite runs on machines that are busy with other tests.
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
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purelymanage.migrations.models import Job
    from purelymanage.quickstart.postgres import Cluster as Database
    from tests.imap.dovecot import Dovecot

PARALLEL, IN_BATCH, AT_SERVER = 4, 3, 4
WORKERS = 8
# Half of all, so that one pause of the database changes nothing.
LONGEST_MEDIAN = 1.0
# Of a worker that is not heard of for so long nothing comes any more.
DEAD_AFTER = 6.0
# It has the database, both mail servers and what wakes its event loop.
SOCKETS_AT_WORK = 3


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
        help="copy at once, without logins and plans, and do not wait for leases",
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
        self.copies = Cluster(workers=WORKERS)
        self.others = Cluster("default", workers=2)
        self.stack = stack
        self.killed: set[int] = set()
        self.leases: dict[int, tuple[Any, float]] = {}
        # They are copied once all that was to happen has happened, so that a quick
        # machine is not done before, nor a slow one between two looks.
        self.late = max(1, wishes.jobs // 10) if wishes.hurry else 0

    def run(self) -> dict[str, Any]:
        from purelymanage.migrations.models import Job, Run

        began = time.monotonic()
        self._import()
        imported = time.monotonic()
        self.stack.enter_context(self.copies)
        self.stack.enter_context(self.others)
        jobs = self.wishes.jobs
        # Moments by what has been done, as nobody knows how fast this machine is.
        self.kills = sorted(
            self.chance.sample(range(jobs // 20, jobs * 2 // 3), self.wishes.kills)
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
                self._kill(done)
                if self.outage_ends and self._is_over():
                    self.outage_ends = None
                    assert self.new.start()
                if not (self.kills or outage_at or restart_at or self.outage_ends):
                    self._release_late_ones()
                if Job.objects.filter(login__in=["waiting", "trying"]).exists():
                    # What becomes of those in an outage is another story.
                    done = 0
            if outage_at is not None and done >= outage_at:
                outage_at = None
                self.new.stop()
                self.outage_ends = time.monotonic() + self.wishes.outage
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
                "kills": len(self.killed),
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

        from purelymanage.migrations.models import Batch, Job

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
        if self.wishes.hurry:
            Job.objects.update(login=Job.Login.RIGHT, login_due_at=None)
            self._begin(Job.objects.order_by("pk")[self.late :])

    def _begin(self, jobs: Iterable[Job]) -> None:
        from purelymanage.accounts.models import User
        from purelymanage.migrations.operations import runs

        owner = User.objects.get()
        for job in jobs:
            runs.queue_run(job=job, dry_run=False, actor=owner)

    # Meanwhile

    @contextmanager
    def _database(self) -> Iterator[None]:
        from django.db import InterfaceError, OperationalError, connection

        try:
            yield
        except (InterfaceError, OperationalError):
            connection.close()

    def _confirm_plans(self) -> None:
        from purelymanage.migrations.models import Run

        plans = Run.objects.newest_of_jobs().filter(dry_run=True, state=Run.State.DONE)
        self._begin([it.job for it in plans.select_related("job")[:20]])

    def _release_late_ones(self) -> None:
        from purelymanage.migrations.models import Job

        self.late = 0
        self._begin(Job.objects.filter(runs=None).order_by("pk"))

    def _is_over(self) -> bool:
        """Whether the outage took as long as it was to, and somebody noticed it."""
        from purelymanage.migrations.models import Attempt

        met = Attempt.objects.filter(trouble="connection").exists()
        return met and time.monotonic() > (self.outage_ends or 0)

    def _kill(self, done: int) -> None:
        """Kill as many workers as is due by now, at work rather than idle ones."""
        while self.kills and done >= self.kills[0]:
            workers = [it for it in self.copies.workers() if it not in self.killed]
            self.chance.shuffle(workers)
            pid = max(workers, key=_sockets, default=None)
            if pid is None:
                return
            is_idle = _sockets(pid) < SOCKETS_AT_WORK
            if is_idle and done < self.wishes.jobs - self.late:
                return
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.kills.pop(0)
            self.killed.add(pid)

    def _hurry(self) -> None:
        """Let killed workers be missed sooner, and waits be short."""
        from django.utils import timezone

        from purelymanage.migrations.models import Run

        soon = timezone.now() + timedelta(seconds=1)
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
            and told["kills"] == self.wishes.kills
            and (self.wishes.hurry or free["median"] < LONGEST_MEDIAN)
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
