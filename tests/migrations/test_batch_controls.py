from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.migrations.models import Batch, JobAction, Run
from purelymanage.migrations.views import reports
from tests.cast import HTMX
from tests.migrations.batch_cases import State, add_jobs, add_runs
from tests.migrations.test_batch_detail import BatchCase


class BatchControlTests(BatchCase):
    def test_a_finished_batch_offers_neither_pause_nor_limits(self) -> None:
        [job] = add_jobs(self.batch, 1)
        add_runs([job], State.RUNNING)
        for r in (self.client.get(self.url), self.client.get(self.url, headers=HTMX)):
            self.assertContains(r, f"{self.url}pause/")
        self.assertContains(self.client.get(self.url), f"{self.url}rules/")
        Run.objects.update(
            state=State.DONE,
            verdict="complete",
            finished_at=timezone.now(),
            lease_until=None,
        )
        for r in (self.client.get(self.url), self.client.get(self.url, headers=HTMX)):
            self.assertNotContains(r, f"{self.url}pause/")
            self.assertNotContains(r, f"{self.url}rules/")
        # Nobody is to be left with a batch that stays paused.
        Batch.objects.update(paused_at=timezone.now())
        self.assertContains(self.client.get(self.url), f"{self.url}resume/")

    def test_a_second_click_changes_nothing(self) -> None:
        add_jobs(self.batch, 1)
        for _ in range(2):
            r = self.client.post(f"{self.url}pause/", follow=True)
            self.assertContains(r, "This batch is paused since")
        self.assertNotContains(r, "already")
        self.assertEqual(self.events(), ["batch.paused"])

    def test_the_filter_counts_anew_whenever_something_moved(self) -> None:
        jobs = add_jobs(self.batch, 3)
        add_runs(jobs, State.QUEUED)
        r = self.client.get(self.url)
        self.assertContains(r, "Waiting (3)")
        self.assertNotContains(r, "Failed (")
        Run.objects.filter(job=jobs[0]).update(
            state=State.FAILED, finished_at=timezone.now()
        )
        r = self.client.get(self.url, headers=HTMX)
        self.assertContains(r, '<div id="states" hx-swap-oob="innerHTML">')
        self.assertContains(r, "Waiting (2)")
        self.assertContains(r, "Failed (1)")

    @pytest.mark.slow
    def test_what_was_done_with_many_is_news_for_a_while(self) -> None:
        jobs = add_jobs(self.batch, 2)
        r = self.act("plan", jobs)
        self.assertContains(r, "Dry run: 2 of 2 mailboxes")
        JobAction.objects.update(finished_at=timezone.now() - timedelta(minutes=11))
        self.assertNotContains(self.client.get(self.url), "Dry run: 2 of")
        JobAction.objects.update(refused=1)
        self.assertContains(self.client.get(self.url), "1 refused")

    def test_a_batch_that_only_lacks_passwords_asks_for_them(self) -> None:
        add_jobs(self.batch, 2, login="wrong")
        self.assertContains(self.client.get(self.url), 'id="give-passwords"')

    def test_a_filter_stays_chosen_where_nothing_is_like_it_any_more(self) -> None:
        add_runs(add_jobs(self.batch, 1), State.QUEUED)
        r = self.client.get(f"{self.url}?state=copying")
        self.assertContains(r, '<option value="copying" selected>Copying (0)</option>')


class LargeReportTests(BatchCase):
    def test_a_report_of_thousands_has_pages_and_one_table(self) -> None:
        add_jobs(self.batch, 12)
        with mock.patch.object(reports, "PER_PAGE", 10):
            for page, rows in (("", 10), ("?page=2", 2)):
                r = self.client.get(f"{self.url}report/{page}")
                self.assertContains(r, 'scope="row"', rows)
                self.assertContains(r, "12 mailboxes")
                self.assertContains(r, 'aria-label="Pages"')
        r = self.client.get(f"{self.url}report/")
        self.assertNotContains(r, 'aria-label="Pages"')
        r = self.client.get(f"{self.url}report.csv")
        content: bytes = r.getvalue()
        self.assertEqual(content.count(b"user"), 12)
