from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.accounts.models import PersonSession
from purelymanage.migrations.estimates import pace
from purelymanage.migrations.models import Job, Run, RunError, RunFolder
from purelymanage.migrations.models.runs import LEASE
from tests.cast import HTMX
from tests.live import asks_again
from tests.migrations.cases import ADDRESS
from tests.migrations.waiting_runs import WithRuns


class RunNewsTests(WithRuns):
    def setUp(self) -> None:
        self.client.force_login(self.adam)
        self.run_ = self.add("info@old.example")
        self.url = f"/migrations/jobs/{self.run_.job_id}/"

    def start(self, **columns: Any) -> None:
        now = timezone.now()
        Run.objects.update(
            **{
                "state": Run.State.RUNNING,
                "dry_run": False,
                "phase": Run.Phase.COPYING,
                "attempt": 1,
                "started_at": now - timedelta(minutes=1),
                "lease_until": now + LEASE,
                "messages": 1500,
                "to_copy": 1000,
                "samples": [[it, it * 10, it * 5000] for it in range(60)],
                **columns,
            }
        )

    def poll(self, url: str) -> Any:
        return self.client.get(url, headers=HTMX)

    def test_a_run_that_waits_says_why_and_is_drawn_when_that_changes(self) -> None:
        url = asks_again(self.client.get(self.url))
        with mock.patch("purelymanage.migrations.presentation.passing_time") as time:
            time.return_value = 1
            url = asks_again(self.poll(url.replace("mark=", "mark=old")))
            self.assertEqual(self.poll(url).status_code, 204)
            time.return_value = 2
            self.assertContains(self.poll(url), "Starts in a moment")

    def add_folders(self, count: int) -> None:
        RunFolder.objects.all().delete()
        RunFolder.objects.bulk_create(
            RunFolder(
                run=self.run_,
                position=it,
                source=f"Folder {it}",
                written_at=timezone.now(),
            )
            for it in range(count)
        )

    def test_a_look_brings_the_folders_that_were_written_since(self) -> None:
        self.start(folder_count=3)
        self.add_folders(3)
        url = asks_again(self.client.get(self.url))
        self.assertEqual(self.poll(url).status_code, 204)
        Run.objects.update(copied=700)
        RunFolder.objects.filter(position=1).update(
            copied=700, state="copying", to_copy=1000, written_at=timezone.now()
        )
        r = self.poll(url)
        self.assertContains(r, '<tr id="folder-1" hx-swap-oob="true">')
        self.assertContains(r, "70 %")
        for folder in ("folder-0", "folder-2", 'id="run-folders"'):
            self.assertNotContains(r, folder)
        # It need not be told again.
        Run.objects.update(copied=701)
        self.assertNotContains(self.poll(asks_again(r)), "folder-1")

    def test_a_look_brings_all_folders_where_they_are_others(self) -> None:
        self.start(folder_count=3)
        self.add_folders(3)
        url = asks_again(self.client.get(self.url))
        Run.objects.update(attempt=2)
        r = self.poll(url)
        self.assertContains(r, 'id="run-folders" hx-swap-oob="true"')
        self.assertContains(r, '<tr id="folder-', 3)
        for since in ("", "yesterday", "2026-02-31T00:00:00"):
            r = self.poll(
                re.sub("since=.*", f"since={since}", asks_again(r)) + "&mark="
            )
            self.assertContains(r, '<tr id="folder-', 3)

    def test_a_look_at_a_run_that_ended_is_the_last(self) -> None:
        self.start(folder_count=1)
        url = asks_again(self.client.get(self.url))
        now = timezone.now()
        Run.objects.update(
            state=Run.State.DONE, finished_at=now, lease_until=None, verdict="complete"
        )
        r = self.poll(url)
        self.assertContains(r, 'id="spoken" hx-swap-oob="innerHTML"')
        self.assertEqual(asks_again(r), "")

    def test_a_page_without_a_run_is_loaded_anew_with_the_first(self) -> None:
        Run.objects.all().delete()
        Job.objects.update(login=Job.Login.TRYING)
        url = asks_again(self.client.get(self.url))
        self.assertEqual(self.poll(url).status_code, 204)
        job = Job.objects.get()
        Run.objects.create(job=job, pair=job.pair, dry_run=True)
        self.assertEqual(self.poll(url)["HX-Refresh"], "true")

    def test_a_failed_folder_is_not_forgotten_when_others_move(self) -> None:
        self.start(folder_count=2)
        self.add_folders(2)
        RunFolder.objects.filter(position=0).update(state="failed")
        RunError.objects.create(run=self.run_, folder="x", uid=0, size=0, reason="No.")
        url = asks_again(self.client.get(self.url))
        Run.objects.update(copied=1)
        self.assertContains(self.poll(url), "could not be opened")

    @pytest.mark.slow
    def test_a_poll_is_cheap_however_many_folders_there_are(self) -> None:
        for count in (10, 1000):
            self.start(folder_count=count, failed=1)
            self.add_folders(count)
            url = asks_again(self.client.get(self.url))
            Run.objects.update(copied=count)
            RunFolder.objects.filter(position__lt=3).update(written_at=timezone.now())
            # Who is asking, run, folders, errors.
            with self.subTest(count=count), self.assertNumQueries(4):
                self.assertContains(self.poll(url), '<tr id="folder-', 3)

    def test_nobody_is_told_about_others(self) -> None:
        Job.objects.update(destination_domain="example.org")
        self.start()
        overview = asks_again(self.client.get("/migrations/"))
        first = asks_again(self.client.get("/"), "running-copies")
        run = asks_again(self.client.get(self.url))
        self.assertContains(self.poll(first.replace("mark=", "mark=old")), ADDRESS)
        # What was worded for somebody else just now does not answer her.
        self.client.force_login(self.lina)
        self.assertEqual(self.poll(run).status_code, 404)
        self.assertEqual(self.poll(overview)["HX-Trigger"], "moved")
        self.assertNotContains(self.client.get("/migrations/"), ADDRESS)
        self.assertNotContains(self.poll(first), ADDRESS)

    def test_who_was_signed_out_is_told_so(self) -> None:
        self.start()
        url = asks_again(self.client.get(self.url))
        PersonSession.objects.update(ended_at=timezone.now())
        self.assertIn("/accounts/login/", self.poll(url)["HX-Redirect"])

    def test_lists_read_enough_to_tell_how_fast_it_is(self) -> None:
        for count in (0, 1, 20, 33, 180):
            samples = [[it, it**2 // 9, it * 5000] for it in range(count)]
            self.start(samples=samples)
            [run] = Run.objects.in_a_list()
            self.assertIn("samples", run.get_deferred_fields())
            self.assertLess(len(run.last_samples), 34)
            with self.subTest(count=count):
                self.assertEqual(pace(run.last_samples), pace(samples))
