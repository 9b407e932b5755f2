"""How long the pages of many copies take: python -m tests.benchmarks.migration_pages

Writes ten thousand jobs into a test database of its own and asks for each page twenty
times, and a hundred times for what a page asks for again every two seconds: when
nothing has moved, when all of it has, and when a copy has begun or ended meanwhile.
Needs DATABASE_URL and the secrets of the panel, as the tests do.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

ASKED, POLLED = 20, 100
RUNNING = 8  # copies of each batch at once
MOST = 10.0  # milliseconds of a poll


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    # No test environment, in which templates would keep what they were drawn with.
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        measure(count)
    finally:
        teardown_databases(databases, verbosity=0)


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
    batch, other = f"/migrations/batches/{big}/", f"/migrations/batches/{small}/"
    pages: dict[str, tuple[str, dict[str, str]]] = {
        "overview": ("/migrations/", {}),
        "overview, list alone": ("/migrations/", HTMX),
        "run": (running_job(), {}),
        f"batch of {count - 200}": (batch, {}),
        f"batch of {count - 200}, list alone": (batch, HTMX),
        "batch of 200": (other, {}),
        "batch of 200, list alone": (other, HTMX),
    }
    for name, (url, headers) in pages.items():
        tell(name, ASKED, lambda: None, partial_get(client, url, headers))
    for name, url, part in (
        ("first page", "/", "running-copies"),
        ("overview", "/migrations/", ""),
        ("run", running_job(), ""),
        (f"batch of {count - 200}", batch, "batch-live"),
        ("batch of 200", other, "batch-live"),
    ):
        poll(client, name, url, part)


def poll(client: Any, name: str, url: str, part: str) -> None:
    """Ask as the page does that was drawn from `url`."""
    from purelymanage import http
    from tests.cast import HTMX
    from tests.live import asks_again

    # Nothing is said anew because of the time.
    http.SECONDS_UNSAID = 10**12
    page = client.get(url)
    asks = asks_again(page, part)
    if (first := client.get(asks, headers=HTMX)).status_code == 200:
        asks = asks_again(first, part, page)
    ask = partial_get(client, asks, HTMX)
    tell(f"{name}, poll, nothing new", POLLED, lambda: None, ask, 204, MOST)
    tell(f"{name}, poll, all new", POLLED, move_all, ask, 200, MOST)
    if "mark=" in asks and part != "running-copies" and "shape=" not in asks:
        older = partial_get(client, asks.replace("mark=", "mark=old"), HTMX)
        tell(f"{name}, poll, others began", POLLED, lambda: None, older, 204, MOST)


def move_all() -> None:
    """Let each copy that runs have moved on, and three folders of each."""
    from django.db.models import F
    from django.utils import timezone

    from purelymanage.migrations.models import Run, RunFolder

    now = timezone.now()
    Run.objects.running().update(copied=F("copied") + 1, moved_at=now)
    RunFolder.objects.filter(position__lt=3).update(written_at=now)


def partial_get(client: Any, url: str, headers: dict[str, str]) -> Callable[[], int]:
    return lambda: int(client.get(url, headers=headers).status_code)


def tell(
    name: str,
    times: int,
    prepare: Callable[[], None],
    ask: Callable[[], int],
    status: int = 200,
    most: float | None = None,
) -> None:
    """Measure by the clock and in processor time of the panel, which others slow less."""
    prepare()
    assert ask() == status, name
    walls, processor = [], []
    for _ in range(times):
        prepare()
        began, busy = time.perf_counter(), time.process_time()
        ask()
        processor.append(1000 * (time.process_time() - busy))
        walls.append(1000 * (time.perf_counter() - began))
    prepare()
    queries = counted(ask)
    best, median = min(walls), statistics.median(walls)
    words = (
        f"{best:6.1f} ms at best, median {median:6.1f}, processor {min(processor):5.1f}"
        f" and {statistics.median(processor):5.1f}, {queries:2} queries"
    )
    if most is not None:
        words += f" ({'under' if best < most else 'OVER'} {most:.0f} ms)"
    sys.stdout.write(f"{name:38} {words}\n")
    sys.stdout.flush()


def fill(owner: User, count: int) -> tuple[int, int]:  # type: ignore[name-defined]  # noqa: F821 - of Django, which is not set up yet
    """Write two batches, most of whose copies have ended; return their keys."""
    from django.utils import timezone

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
        middle = jobs[2 * tenth : 2 * tenth + RUNNING]
        for run in add_runs(middle, Run.State.RUNNING, **copying, **under_way):
            RunFolder.objects.bulk_create(
                RunFolder(
                    run=run,
                    position=it,
                    source=f"Folder {it}",
                    messages=20,
                    written_at=timezone.now(),
                )
                for it in range(40)
            )
        rest = jobs[2 * tenth + RUNNING :]
        add_runs(rest, Run.State.DONE, **seen, samples=samples, verdict="complete")
    return batches[0], batches[1]


def running_job() -> str:
    from purelymanage.migrations.models import Run

    run = Run.objects.running().first()
    assert run is not None
    return f"/migrations/jobs/{run.job_id}/"


def counted(ask: Callable[[], int]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        ask()
    return len(queries)


if __name__ == "__main__":
    main()
