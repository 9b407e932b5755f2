from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.errors import Refused
from purelymanage.migrations import login_tests
from purelymanage.migrations.models import Job, PasswordTable, Run, Server
from purelymanage.migrations.operations import logins, password_tables, servers
from purelymanage.migrations.operations.logins import Finding
from purelymanage.migrations.operations.secrets import (
    open_destination_secret,
    open_secret,
)
from tests.migrations.batch_cases import Login, State, add_jobs, add_runs
from tests.migrations.test_batch_detail import BatchCase

SECRET = "new-secret"


class PasswordTableTests(BatchCase):
    def setUp(self) -> None:
        super().setUp()
        self.copied, self.planned, self.untold, self.done = add_jobs(self.batch, 4)
        wrong = {"login": Login.WRONG, "login_words": "Wrong password."}
        Job.objects.exclude(pk=self.done.pk).update(**wrong)
        refused = {"trouble": "password", "failure": "Refused."}
        add_runs([self.copied], State.FAILED, **refused)
        add_runs([self.planned], State.FAILED, dry_run=True, **refused)
        add_runs([self.done], State.DONE, verdict="complete")
        self.page = f"{self.url}passwords/"

    def upload(self, *lines: str, **data: Any) -> Any:
        form = {"table": "\n".join(lines)} | data
        return self.client.post(self.page, form, follow=True)

    def store(self, r: Any) -> Any:
        shown = r.context["found"].digest
        return self.client.post(r.request["PATH_INFO"], {"shown": shown}, follow=True)

    def test_each_row_finds_its_mailbox_and_shows_no_password(self) -> None:
        r = self.client.get(self.url)
        self.assertContains(r, self.page)
        r = self.client.get(self.page)
        self.assertContains(r, "3 mailboxes of this batch that are not complete")
        r = self.upload(
            "source address,new password",
            f"OLD0@old.example,{SECRET}",
            f"old1@old.example,{SECRET}-1",
            "old2@old.example,",
            f"old3@old.example,{SECRET}-3",
            f"old0@old.example,{SECRET}",
            f"nobody@old.example,{SECRET}",
        )
        self.assertContains(r, "2 mailboxes of this batch get a new password; 4 rows")
        self.assertContains(r, "There is no password.")
        self.assertContains(r, "is not among those chosen")
        self.assertContains(r, "Line 2 has the same old mailbox.")
        self.assertContains(r, "No mailbox of this batch is copied from there.")
        self.assertContains(r, "1 chosen mailbox is not in the table")
        self.assertNotContains(r, SECRET)
        self.assertNotIn(SECRET, PasswordTable.objects.get().sheet)
        self.assertEqual(self.events(), [])

    @pytest.mark.slow
    def test_what_was_refused_goes_on_as_what_it_was(self) -> None:
        rows = [f"old{it}@old.example\t{SECRET}-{it}" for it in range(3)]
        r = self.store(self.upload(*rows))
        self.assertContains(r, "3 passwords were replaced. Their logins are tried.")
        self.assertFalse(PasswordTable.objects.exists())
        self.assertEqual(self.events(), ["migration.password_replaced"] * 3)
        self.assertTrue(OrmQ.objects.filter(key="default").exists())
        jobs = Job.objects.filter(login=Login.WAITING, login_words="").order_by("pk")
        found = {job.pk: open_secret(job) for job in jobs}
        expected = [self.copied.pk, self.planned.pk, self.untold.pk]
        self.assertEqual(found, {pk: f"{SECRET}-{n}" for n, pk in enumerate(expected)})

        for job in logins.claim_logins(server_id=self.server.pk, most=4):
            logins.settle_login(job=job, finding=Finding(Login.RIGHT))
        again = Run.objects.queued().order_by("job").values_list("job", "dry_run")
        self.assertEqual(
            list(again), list(zip(expected, [False, True, True], strict=True))
        )

    def test_what_somebody_stopped_does_not_begin_by_itself(self) -> None:
        Run.objects.filter(job=self.copied).update(state=State.STOPPED, trouble="")
        self.store(self.upload(f"old0@old.example,{SECRET}"))
        [job] = logins.claim_logins(server_id=self.server.pk, most=4)
        logins.settle_login(job=job, finding=Finding(Login.RIGHT))
        job.refresh_from_db()
        self.assertEqual((job.login, job.login_words), (Login.RIGHT, ""))
        self.assertFalse(Run.objects.open().exists())

    def test_what_waits_goes_on_at_once_and_what_runs_is_left_alone(self) -> None:
        later = timezone.now() + timedelta(hours=1)
        queued = {"state": State.QUEUED, "finished_at": None, "not_before": later}
        Run.objects.filter(job=self.copied).update(**queued)
        running = {"finished_at": None, "lease_until": later}
        Run.objects.filter(job=self.planned).update(state=State.RUNNING, **running)
        r = self.upload(*(f"old{it}@old.example,{SECRET}" for it in range(2)))
        self.assertContains(r, "It is running. Stop it first")
        self.store(r)
        run = Run.objects.get(job=self.copied)
        self.assertEqual((run.not_before, run.trouble), (None, ""))
        self.copied.refresh_from_db()
        self.assertEqual(self.copied.login, "")

    def test_only_what_was_ticked_is_meant(self) -> None:
        ticked = [self.copied.pk, self.done.pk]
        r = self.act("password", [self.copied, self.done])
        self.assertContains(r, "for 2 chosen mailboxes")
        for pk in ticked:
            self.assertContains(r, f'name="key" value="{pk}"')
        rows = [f"old{it}@old.example,{SECRET}" for it in range(4)]
        r = self.upload(*rows, key=ticked)
        self.assertEqual(r.context["found"].jobs, 2)
        r = self.act("password", all="1", q="old1")
        self.assertRedirects(r, f"/migrations/jobs/{self.planned.pk}/password/")
        self.assertContains(self.act("password"), "3 mailboxes of this batch")

    def test_columns_in_doubt_are_asked_for(self) -> None:
        r = self.upload("who,a,b", f"old0@old.example,{SECRET},x")
        self.assertContains(r, "Which column is what?")
        self.assertNotContains(r, SECRET)
        url = r.request["PATH_INFO"]
        r = self.client.post(url, {"column0": "address"})
        self.assertContains(r, "No column is the new password", status_code=422)
        r = self.client.post(
            url, {"column0": "address", "column1": "password"}, follow=True
        )
        self.assertEqual(r.context["found"].jobs, 1)

    def test_passwords_of_both_sides(self) -> None:
        other = Server.objects.create(
            name="New provider", host="new.example", created_by=self.olga
        )
        Job.objects.update(destination_server=other)
        r = self.upload("old mailbox,new password", f"old0@old.example,{SECRET}")
        self.assertContains(r, "Give it as well.")
        self.assertNotContains(r, "Replace 1 password")
        r = self.upload(f"old0@old.example,{SECRET},{SECRET}-there")
        self.store(r)
        job = Job.objects.get(pk=self.copied.pk)
        self.assertEqual(open_destination_secret(job), f"{SECRET}-there")

    def test_something_else_than_was_shown_is_not_stored(self) -> None:
        r = self.upload(f"old0@old.example,{SECRET}")
        table = PasswordTable.objects.get()
        Job.objects.filter(pk=self.copied.pk).update(removed_at=timezone.now())
        self.assertContains(self.store(r), "has changed since you looked")
        Job.objects.update(removed_at=None)
        shown = r.context["found"].digest
        servers.edit_server(server=self.server, actor=self.adam, host="evil.example")
        with self.assertRaisesMessage(Refused, "Upload it again."):
            password_tables.store_passwords(table=table, shown=shown, actor=self.adam)
        self.assertNotIn("migration.password_replaced", self.events())

    @pytest.mark.slow
    def test_a_table_is_its_makers_and_is_forgotten_after_a_day(self) -> None:
        r = self.upload(f"old0@old.example,{SECRET}")
        url = r.request["PATH_INFO"]
        self.client.force_login(self.olga)
        for path in (url, f"{url}columns/"):
            self.assertEqual(self.client.get(path).status_code, 404)
        self.client.force_login(self.adam)
        self.client.post(f"{url}discard/")
        self.assertFalse(PasswordTable.objects.exists())
        self.upload(f"old0@old.example,{SECRET}")
        PasswordTable.objects.update(created_at=timezone.now() - timedelta(hours=25))
        self.assertIn("1 drafts deleted", login_tests.sweep())
        self.assertFalse(PasswordTable.objects.exists())

    def test_what_is_no_table_is_told_at_its_field(self) -> None:
        r = self.upload()
        self.assertContains(r, "Choose a file, or paste a table.", status_code=422)
        self.assertContains(r, 'id="id_file_error"', status_code=422)
