"""How long the pages of many copies take: python -m tests.benchmarks.migration_pages

Writes ten thousand jobs into a test database of its own and asks for each page twenty
times. Needs DATABASE_URL and the secrets of the panel, as the tests do.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

ASKED = 20


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.test.utils import setup_test_environment, teardown_test_environment
    from django.test.utils import setup_databases, teardown_databases  # isort: skip

    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        measure(count)
    finally:
        teardown_databases(databases, verbosity=0)
        teardown_test_environment()


def measure(count: int) -> None:
    from django.db import connection
    from django.test import Client

    from purelymanage.accounts.models import User
    from purelymanage.accounts.permissions import Role
    from tests.cast import HTMX

    owner = User.objects.create_user("olga@example.org", None, role=Role.OWNER)
    big, small = fill(owner, count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = Client()
    client.force_login(owner)
    pages = {
        "overview, whole page": ("/migrations/", {}),
        "overview, list alone": ("/migrations/", HTMX),
        "overview, live poll": ("/migrations/progress/", HTMX),
        "run, live poll": (running_job(), HTMX),
        f"batch of {count - 200}, page": (f"/migrations/batches/{big}/", {}),
        f"batch of {count - 200}, poll": (f"/migrations/batches/{big}/progress/", HTMX),
        "batch of 200, page": (f"/migrations/batches/{small}/", {}),
        "batch of 200, live poll": (f"/migrations/batches/{small}/progress/", HTMX),
    }
    for name, (url, headers) in pages.items():

        def ask(url: str = url, headers: dict[str, str] = headers) -> None:
            assert client.get(url, headers=headers).status_code == 200

        ask()
        times, queries = timed(ask), counted(ask)
        best, median = min(times), statistics.median(times)
        words = f"{best:6.1f} ms at best, median {median:6.1f}, {queries} queries"
        sys.stdout.write(f"{name:28} {words}\n")


def fill(owner: User, count: int) -> tuple[int, int]:  # type: ignore[name-defined]  # noqa: F821 - of Django, which is not set up yet
    """Write two batches, most of whose copies have ended; return their keys."""
    from purelymanage.migrations.models import Run, RunFolder, Server
    from tests.migrations.batch_cases import add_batch, add_jobs, add_runs

    server = Server.objects.create(name="Old", host="old.example", created_by=owner)
    batches = []
    for number in (count - 200, 200):
        batch = add_batch(owner, server, name=f"{number} mailboxes")
        batches.append(batch.pk)
        jobs = add_jobs(batch, number)
        seen = {"messages": 900, "bytes": 10**8, "phase": "done", "bytes_to_copy": 0}
        old = {"dry_run": True, "is_newest": False, "verdict": "complete"}
        add_runs(jobs, Run.State.DONE, **seen, **old)
        tenth = number // 10
        add_runs(jobs[:tenth], Run.State.QUEUED)
        add_runs(jobs[tenth : 2 * tenth], Run.State.FAILED, failure="Nobody is there.")
        copying = seen | {"phase": "copying", "bytes_to_copy": 10**7}
        samples = [[it, it * 10, it * 50_000] for it in range(180)]
        log = "12:00:00  A line of the log\n" * 6_000
        under_way = {"samples": samples, "log": log, "folder_count": 40}
        middle = jobs[2 * tenth : 2 * tenth + 2]
        for run in add_runs(middle, Run.State.RUNNING, **copying, **under_way):
            RunFolder.objects.bulk_create(
                RunFolder(run=run, position=it, source=f"Folder {it}", messages=20)
                for it in range(40)
            )
        rest = jobs[2 * tenth + 2 :]
        add_runs(rest, Run.State.DONE, **seen, samples=samples, verdict="complete")
    return batches[0], batches[1]


def running_job() -> str:
    from purelymanage.migrations.models import Run

    run = Run.objects.running().first()
    assert run is not None
    return f"/migrations/jobs/{run.job_id}/"


def timed(ask: Callable[[], None]) -> list[float]:
    found = []
    for _ in range(ASKED):
        began = time.perf_counter()
        ask()
        found.append(1000 * (time.perf_counter() - began))
    return found


def counted(ask: Callable[[], None]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        ask()
    return len(queries)


if __name__ == "__main__":
    main()
