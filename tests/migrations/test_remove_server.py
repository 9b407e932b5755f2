from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.migrations.models import Batch, Job, Server
from purelymanage.migrations.operations import jobs, runs, servers
from purelymanage.migrations.operations.server_removal import remove_server
from tests.migrations.batch_cases import State, add_batch, add_jobs, add_runs
from tests.migrations.test_batch_detail import BatchCase

LIST = "/migrations/servers/"
YES = {"confirmed": "1"}


class RemoveServerTests(BatchCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = f"{LIST}{self.server.pk}/remove/"

    @pytest.mark.slow
    def test_one_that_nothing_needs_goes_and_its_name_is_free(self) -> None:
        self.assertContains(self.client.get(LIST), self.url)
        self.assertContains(self.client.get(self.url), "Remove the server")
        r = self.client.post(self.url, YES, follow=True)
        self.assertContains(r, "Old provider was removed.")
        self.assertContains(r, "No server yet")
        self.assertEqual(self.events(), ["server.removed"])
        for url in ("/migrations/jobs/new/", "/migrations/import/"):
            self.assertContains(self.client.get(url), "First the old server")
        for path in ("", "test/", "remove/"):
            r = self.client.get(f"{LIST}{self.server.pk}/{path}")
            self.assertEqual(r.status_code, 404)
        form = {"name": "OLD provider", "host": "127.0.0.1", "port": "9"}
        form |= {"security": "tls", "verify_certificate": "on"}
        self.client.post(f"{LIST}new/", form)
        self.assertEqual(Server.objects.present().get().name, "OLD provider")

    def test_it_says_what_still_needs_it(self) -> None:
        add_jobs(self.batch, 2)
        [alone] = add_jobs(self.batch, 1)
        Job.objects.filter(pk=alone.pk).update(batch=None)
        other = Server.objects.create(
            name="Elsewhere", host="new.example", created_by=self.olga
        )
        wishes = {"destination_server": self.server.pk}
        add_batch(self.olga, other, name="Draft", confirmed_at=None, wishes=wishes)
        for r in (self.client.get(self.url), self.client.post(self.url, YES)):
            self.assertContains(r, "2 unfinished copies of the batch First wave")
            self.assertContains(r, f"/migrations/jobs/{alone.pk}/")
            self.assertContains(r, "An import of olga@example.org")
            self.assertNotContains(r, "Remove the server")
        with self.assertRaisesMessage(
            Refused,
            "Old provider is still needed: 2 unfinished copies of the batch First "
            f"wave, the copy of {alone} and an import of olga@example.org that is not "
            "confirmed yet.",
        ):
            remove_server(server=self.server, actor=self.adam)
        self.assertIsNone(Server.objects.get(pk=self.server.pk).removed_at)
        self.assertFalse(Entry.objects.filter(event="server.removed").exists())

    def test_finished_and_removed_copies_do_not_hold_it(self) -> None:
        done, gone = add_jobs(self.batch, 2)
        add_runs([done], State.DONE, verdict="complete_with_skips")
        Job.objects.filter(pk=gone.pk).update(removed_at=timezone.now())
        self.assertContains(self.client.get(self.url), "1 finished copy with its")
        r = self.client.post(self.url, YES, follow=True)
        self.assertContains(r, "2 stored passwords were erased.")
        self.assertFalse(Job.objects.exclude(source_secret="").exists())
        # Its history stays, and nothing offers what would be refused.
        page = f"/migrations/jobs/{done.pk}/"
        r = self.client.get(page)
        self.assertContains(r, "at Old provider")
        self.assertNotContains(r, "Run again")
        r = self.client.get(f"/migrations/batches/{self.batch.pk}/report/")
        self.assertContains(r, "Old provider")

    def test_nothing_begins_there_any_more(self) -> None:
        [job] = add_jobs(self.batch, 1)
        add_runs([job], State.DONE, verdict="complete")
        late = timezone.now() + timedelta(days=1)
        remove_server(server=self.server, actor=self.adam)
        Job.objects.update(
            source_secret=job.source_secret, secret_expires_at=late, login="right"
        )
        with self.assertRaisesMessage(Refused, "The server Old provider was removed"):
            runs.queue_run(job=job, dry_run=False, actor=self.adam)
        # Somebody had tried a password with it a moment before.
        with self.assertRaisesMessage(Refused, "Old provider was removed meanwhile"):
            servers.refuse_if_moved(self.server)
        with self.assertRaisesMessage(Refused, "was removed already"):
            remove_server(server=self.server, actor=self.adam)

    def test_limited_people_and_auditors_do_not(self) -> None:
        for user in (self.lina, self.audrey):
            self.client.force_login(user)
            self.assertEqual(self.client.post(self.url, YES).status_code, 403)
            self.assertNotContains(self.client.get(LIST), self.url)


class RemoveJobTests(BatchCase):
    def test_a_copy_alone_is_removed_after_a_question(self) -> None:
        [job] = add_jobs(self.batch, 1)
        add_runs([job], State.FAILED, failure="Nobody listens there.")
        Job.objects.update(batch=None)
        url = f"/migrations/jobs/{job.pk}/"
        self.assertContains(self.client.get(url), f"{url}remove/")
        self.assertContains(self.client.get(f"{url}remove/"), "erased at once")
        r = self.client.post(f"{url}remove/", YES, follow=True)
        self.assertRedirects(r, "/migrations/")
        self.assertContains(r, f"The copy of {job} was removed.")
        self.assertFalse(Job.objects.present().exists())
        self.assertIn("migration.removed", self.events())
        self.assertNotContains(self.client.get(url), f"{url}remove/")

    def test_what_runs_is_refused(self) -> None:
        [job] = add_jobs(self.batch, 1)
        add_runs([job], State.QUEUED)
        url = f"/migrations/jobs/{job.pk}/"
        r = self.client.post(f"{url}remove/", YES, follow=True)
        self.assertContains(r, "is waiting or running. Stop it first")
        with self.assertRaises(Refused):
            jobs.remove_job(job=job, actor=self.adam)
        self.assertEqual(Batch.objects.count(), 1)
