"""Whose domain the audit log counts copies to, which decides who reads of them."""

from __future__ import annotations

from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.migrations.models import Batch, Job, Run
from purelymanage.migrations.operations import (
    batch_rules,
    batches,
    jobs,
    logins,
    runs,
)
from purelymanage.migrations.references import ELSEWHERE
from purelymanage.sheets import reading
from tests.account import add_server
from tests.cast import CastTestCase
from tests.migrations.batch_cases import add_batch, add_jobs

# Its name at the other server is one of ours.
USER = "anna@shop.example"
TABLE = f"old,password,new,new password\nanna@old.example,one,{USER},two\n"


class AuditScopeTests(CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = add_server(self.olga)
        self.other = add_server(self.olga, name="Other", host="imap.other.example")

    def entries(self) -> list[tuple[str, str]]:
        return [(it.event, it.domain) for it in Entry.objects.order_by("sequence")]

    def assert_all_elsewhere(self) -> None:
        found = self.entries()
        self.assertTrue(found)
        self.assertEqual([it for it in found if it[1] != ELSEWHERE], [])

    def confirmed(self) -> Batch:
        batch = batches.draft_batch(
            name="shop.example",
            server=self.server,
            sheet=reading.read(TABLE.encode()),
            actor=self.olga,
            destination_server=self.other,
        )
        columns = {
            0: "address",
            1: "password",
            2: "destination",
            3: "destination_password",
        }
        batches.map_columns(batch=batch, columns=columns, domain="", actor=self.olga)
        return batches.confirm(batch=batch, actor=self.olga)

    def test_nobody_limited_reads_of_an_import_into_another_server(self) -> None:
        batch = self.confirmed()
        logins.claim_logins(server_id=self.server.pk, most=4)
        Job.objects.update(login=Job.Login.WRONG)
        job = Job.objects.get()
        logins.try_again(job=job, actor=self.olga)
        (held,) = logins.claim_logins(server_id=self.server.pk, most=4)
        wrong = logins.Finding(Job.Login.WRONG, "It was refused.")
        logins.settle_login(job=held, finding=wrong)
        batch_rules.pause_batch(batch=batch, actor=self.olga)
        batch_rules.change_batch(
            batch=batch, parallel_runs=2, priority=1, actor=self.olga
        )
        batch_rules.resume_batch(batch=batch, actor=self.olga)
        self.assert_all_elsewhere()

    def test_nor_of_a_copy_into_it(self) -> None:
        self.confirmed()
        Job.objects.update(login=Job.Login.RIGHT, login_due_at=None)
        job = Job.objects.get()
        wishes = jobs.Wishes(engine="pipeline")
        jobs.change_job(job=job, wishes=wishes, actor=self.olga, plans=True)
        run = Run.objects.get()
        runs.claim_run(pk=run.pk, host="here")
        runs.stop_run(run=run, actor=self.olga)
        Run.objects.update(
            state=Run.State.STOPPED, finished_at=timezone.now(), lease_until=None
        )
        jobs.remove_job(job=job, actor=self.olga)
        self.assert_all_elsewhere()

    def test_the_name_of_a_batch_makes_it_nobodys(self) -> None:
        batch = add_batch(
            self.olga,
            self.server,
            name="shop.example",
            domains=["example.org", "shop.example"],
        )
        batch_rules.pause_batch(batch=batch, actor=self.olga)
        self.assert_all_elsewhere()

    def test_those_of_one_domain_are_for_its_people(self) -> None:
        batch = add_batch(self.olga, self.server)
        (job,) = add_jobs(batch, 1)
        batch_rules.pause_batch(batch=batch, actor=self.olga)
        runs.queue_run(job=job, dry_run=True, actor=self.olga)
        self.assertEqual({domain for _, domain in self.entries()}, {"shop.example"})
