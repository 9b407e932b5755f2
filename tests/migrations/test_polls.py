"""What asks for itself again every second or two costs next to nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purelymanage.migrations.models import (
    Job,
    JobAction,
    Run,
    RunError,
    RunFolder,
    Server,
)
from purelymanage.migrations.operations.jobs_many import ask_of_jobs
from tests.cast import HTMX
from tests.live import asks_again
from tests.migrations.batch_cases import add_batch, add_jobs, add_runs
from tests.migrations.waiting_runs import WithRuns

MOST = 4
# What differs for each of the pages.
CHANGES: dict[Any, dict[str, Any]] = {
    Run: {"messages": F("messages") + 1},
    JobAction: {"done": F("done") + 1, "total": 100},
}


# Nothing is said anew because of the time.
@mock.patch("purelymanage.http.SECONDS_UNSAID", 10**12)
class PollTests(WithRuns):
    """Each is asked with all there is before a view: cookie, person and their rights."""

    def setUp(self) -> None:
        # The limits are looked at as well where there are some.
        Server.objects.update(parallel_runs=1, bytes_a_day=10**9)
        self.batch = add_batch(self.olga, self.server)
        self.jobs = add_jobs(self.batch, 6)
        add_runs(self.jobs[:2], Run.State.RUNNING, bytes=10, phase="copying")
        add_runs(self.jobs[2:4], Run.State.QUEUED)
        add_runs(self.jobs[4:5], Run.State.FAILED)

    def assert_cheap(self, page: str, part: str = "") -> None:
        """Ask as a page of somebody does who sees everything, or one domain only."""
        for person in (self.olga, self.lina):
            self.client.force_login(person)
            with self.subTest(page=page, person=person):
                drawn = self.client.get(page)
                url = asks_again(drawn, part)
                if (r := self.ask(url)).status_code == 200:
                    url = asks_again(r, part, drawn)
                r = self.ask(url)
                self.assertEqual((r.status_code, r.get("HX-Trigger")), (204, None))
                for model, columns in CHANGES.items():
                    model.objects.update(**columns)
                r = self.ask(url)
                self.assertTrue(r.status_code == 200 or r.get("HX-Trigger"))

    def ask(self, url: str) -> Any:
        with CaptureQueriesContext(connection) as queries:
            r = self.client.get(url, headers=HTMX)
        said = [it["sql"][:300] for it in queries]
        self.assertLessEqual(len(queries), MOST, said)
        return r

    def of(self, job: Job, **columns: Any) -> str:
        run = Run.objects.get(job=job)
        Run.objects.filter(pk=run.pk).update(**columns)
        RunFolder.objects.create(
            run=run,
            position=0,
            source="INBOX",
            state="failed",
            written_at=timezone.now(),
        )
        RunError.objects.create(run=run, folder="INBOX", uid=1, size=1, reason="No.")
        return f"/migrations/jobs/{job.pk}/"

    def test_the_overview(self) -> None:
        self.assert_cheap("/migrations/")

    def test_the_copies_on_the_first_page(self) -> None:
        self.assert_cheap("/", "running-copies")

    @pytest.mark.slow
    def test_a_batch(self) -> None:
        self.assert_cheap(f"/migrations/batches/{self.batch.pk}/", "batch-live")

    @pytest.mark.slow
    def test_what_is_asked_of_many_jobs(self) -> None:
        keys = [self.jobs[5].pk]
        ask_of_jobs(batch=self.batch, kind="plan", keys=keys, actor=self.olga)
        page = f"/migrations/batches/{self.batch.pk}/"
        self.assert_cheap(page, "batch-action")
        url = asks_again(self.client.get(page), "batch-action")
        JobAction.objects.update(finished_at=timezone.now())
        # Another one that is as far is news all the same.
        ask_of_jobs(batch=self.batch, kind="plan", keys=keys, actor=self.olga)
        JobAction.objects.update(done=2)
        self.assertEqual(self.ask(url).status_code, 200)

    def test_a_copy_that_runs(self) -> None:
        samples = [[it, it, it * 1000] for it in range(60)]
        self.assert_cheap(self.of(self.jobs[0], failed=3, samples=samples))

    def test_a_run_that_waits_for_others(self) -> None:
        self.assert_cheap(self.of(self.jobs[2], failed=3))

    def test_a_run_that_is_put_off(self) -> None:
        later = timezone.now() + timedelta(hours=1)
        self.assert_cheap(self.of(self.jobs[2], failed=3, not_before=later))
