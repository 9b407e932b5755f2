"""The logins of imported jobs, tried at a real server before anything runs."""

from __future__ import annotations

import threading
from datetime import timedelta
from unittest import mock

from django.contrib.messages import get_messages
from django.core.cache import cache
from django.http import HttpResponse
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Entry
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations import login_tests
from purelymanage.migrations.login_tests import try_logins
from purelymanage.migrations.models import Batch, Job, Run, Server
from purelymanage.migrations.operations import logins
from purelymanage.migrations.operations.logins import (
    LEASE,
    MOST_AT_ONCE,
    MOST_REFUSED,
    PATIENCE_WITH_COPIES,
    PAUSES,
    TASK,
    Finding,
    claim_logins,
    settle_login,
)
from purelymanage.migrations.operations.secrets import (
    seal_destination_secret,
    seal_secret,
)
from purelymanage.purelymail.sandbox.demo_mail import ANNA, password_of
from tests.migrations.cases import ADDRESS, OTHER_ADDRESS, SMALL, MigrationTestCase

Login = Job.Login


class LoginTestCase(MigrationTestCase):
    batch: Batch

    def setUp(self) -> None:
        super().setUp()
        for address in (ADDRESS, OTHER_ADDRESS):
            Domain.objects.create(name=address.rpartition("@")[2])
        self.batch = Batch.objects.create(
            name="First wave",
            server=self.server,
            created_by=self.adam,
            confirmed_at=timezone.now(),
        )
        self.number = 0

    def add(self, password: str = password_of(SMALL), **fields: object) -> Job:
        """Write an imported job whose login is due."""
        self.number += 1
        columns: dict[str, object] = {
            "batch": self.batch,
            "server": self.server,
            "number": self.number,
            "source_user": SMALL,
            "destination": ADDRESS,
            "destination_domain": ADDRESS.rpartition("@")[2],
            "login": Login.WAITING,
            "login_due_at": timezone.now(),
            "created_by": self.adam,
        }
        job = Job(**columns | fields)
        seal_secret(job, password)
        job.save()
        return job

    def look(self, job: Job) -> Job:
        job.refresh_from_db()
        return job

    def claim(self, most: int = MOST_AT_ONCE) -> list[Job]:
        return claim_logins(server_id=self.server.pk, most=most)

    def logins_queued(self) -> int:
        return sum(row.func() == TASK for row in OrmQ.objects.all())


class TryingTests(LoginTestCase):
    def test_a_right_login_gets_its_plan(self) -> None:
        job = self.add()
        self.assertEqual(try_logins(self.server.pk), "1 tried")
        self.assertEqual(self.look(job).login, Login.RIGHT)
        run = Run.objects.get(job=job)
        self.assertTrue(run.dry_run)
        self.assertEqual(
            self.events(), ["migration.password_opened", "migration.queued"]
        )

    def test_a_wrong_password_is_told_and_tried_once(self) -> None:
        job = self.add("not-this-one")
        try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.WRONG)
        self.assertIn("refused this password", job.login_words)
        self.assertTrue(job.needs_password)
        self.assertFalse(Run.objects.exists())
        self.assertNotIn("not-this-one", str(list(Entry.objects.values())))
        self.assertEqual(try_logins(self.server.pk), "0 tried")

    def test_the_advice_is_that_for_the_provider(self) -> None:
        job = self.add("not-this-one")
        Server.objects.update(preset="yahoo")
        try_logins(self.server.pk)
        self.assertIn("Yahoo wants an app password", self.look(job).login_words)

    def test_no_answer_is_tried_again_a_few_times(self) -> None:
        job = self.add()
        Server.objects.update(port=9)
        for pause in PAUSES:
            try_logins(self.server.pk)
            self.assertEqual(self.look(job).login, Login.WAITING)
            self.assertIn("Tried again at", job.login_words)
            assert job.login_due_at is not None
            left = job.login_due_at - timezone.now()
            self.assertAlmostEqual(left.total_seconds(), pause.total_seconds(), delta=5)
            self.assertEqual(try_logins(self.server.pk), "0 tried")
            Job.objects.update(login_due_at=timezone.now())
        try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.UNKNOWN)
        self.assertIn("Tried 4 times.", job.login_words)

    def test_an_untrusted_certificate_is_not_asked_again(self) -> None:
        job = self.add()
        with self.settings(IMAP_CA_FILE=None):
            try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.UNKNOWN)
        self.assertIn("certificate", job.login_words)

    def test_a_destination_at_another_server_is_tried_as_well(self) -> None:
        job = self.add(destination_server=self.server, destination=SMALL)
        seal_destination_secret(job, "wrong")
        job.save()
        try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.WRONG)

    def test_a_password_that_is_gone_is_told(self) -> None:
        job = self.add()
        Job.objects.update(source_secret="")
        try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.UNKNOWN)
        self.assertEqual(job.login_words, logins.NOT_STORED)

    def test_mistakes_of_ours_tell_no_secrets(self) -> None:
        job = self.add("very-secret")
        broken = mock.patch.object(
            login_tests, "check_login", side_effect=ValueError("very-secret")
        )
        with broken, self.assertLogs("purelymanage", "ERROR") as logged:
            try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.UNKNOWN)
        self.assertNotIn("very-secret", job.login_words + str(logged.output))

    def test_who_lost_their_rights_starts_nothing(self) -> None:
        job = self.add()
        self.adam.role = Role.AUDITOR
        self.adam.save()
        try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.RIGHT)
        self.assertIn("may not do this any more", job.login_words)
        self.assertFalse(Run.objects.exists())

    def test_who_was_limited_meanwhile_copies_nothing_elsewhere(self) -> None:
        other = Server.objects.create(name="Other", host="b", created_by=self.olga)
        self.add(destination_server=other, destination_domain="")
        [job] = self.claim()
        self.adam.domain_scope = ["shop.example"]
        self.adam.save()
        settle_login(job=job, finding=Finding(Login.RIGHT))
        self.assertIn("may not do this any more", self.look(job).login_words)
        self.assertFalse(Run.objects.exists())

    def test_a_mailbox_that_went_meanwhile_is_told(self) -> None:
        job = self.add()
        Mailbox.objects.all().delete()
        try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.RIGHT)
        self.assertIn("There is no mailbox", job.login_words)

    def test_removed_jobs_are_left_alone(self) -> None:
        self.add(removed_at=timezone.now())
        self.assertEqual(try_logins(self.server.pk), "0 tried")


class LimitTests(LoginTestCase):
    def test_tests_and_copies_share_the_limit_of_a_server(self) -> None:
        run = self.new_run()
        Run.objects.filter(pk=run.pk).update(handed_at=timezone.now())
        Server.objects.update(parallel_runs=2)
        for _ in range(3):
            self.add()
        self.assertEqual(len(self.claim()), 1)
        self.assertEqual(self.claim(), [])

    def test_a_server_without_limit_gets_few_at_once(self) -> None:
        for _ in range(MOST_AT_ONCE + 2):
            self.add()
        self.assertEqual(len(self.claim(most=100)), MOST_AT_ONCE)
        self.assertEqual(self.claim(), [])

    def test_who_waits_long_gets_one_beside_the_copies(self) -> None:
        run = self.new_run()
        Run.objects.filter(pk=run.pk).update(handed_at=timezone.now())
        Server.objects.update(parallel_runs=1)
        long_ago = timezone.now() - PATIENCE_WITH_COPIES - timedelta(seconds=1)
        for _ in range(2):
            self.add(login_due_at=long_ago)
        self.assertEqual(len(self.claim()), 1)
        self.assertEqual(self.claim(), [])

    def test_the_other_server_has_its_limit_as_well(self) -> None:
        other = Server.objects.create(
            name="Other", host="b", parallel_runs=1, created_by=self.olga
        )
        for _ in range(3):
            self.add(destination_server=other)
        self.add()
        claimed = self.claim()
        self.assertEqual([job.destination_server for job in claimed], [other, None])
        self.assertEqual(self.claim(), [])
        self.add(server=other)
        self.assertEqual(claim_logins(server_id=other.pk, most=4), [])

    def test_copies_leave_room_for_what_is_being_tried(self) -> None:
        Server.objects.update(parallel_runs=1)
        self.add()
        [job] = self.claim()
        run = self.new_run(ANNA, OTHER_ADDRESS)
        run.refresh_from_db()
        self.assertIsNone(run.handed_at)
        settle_login(job=job, finding=Finding(Login.WRONG, "No."))
        run.refresh_from_db()
        self.assertIsNotNone(run.handed_at)

    def test_a_copy_that_ends_wakes_those_that_found_a_server_full(self) -> None:
        cache.clear()
        Server.objects.update(parallel_runs=1)
        run = self.new_run(ANNA, OTHER_ADDRESS)
        self.assertTrue(Run.objects.busy().filter(pk=run.pk).exists())
        self.add()
        self.assertEqual(logins.go_on(), 0)
        Run.objects.filter(pk=run.pk).update(
            state=Run.State.DONE, handed_at=None, finished_at=timezone.now()
        )
        self.assertEqual(logins.go_on(), 1)
        # Until a worker had a chance to begin.
        self.assertEqual(logins.go_on(), 0)
        self.assertEqual(self.logins_queued(), 1)

    def test_several_are_tried_at_the_same_time(self) -> None:
        for _ in range(MOST_AT_ONCE):
            self.add()

        together = threading.Barrier(MOST_AT_ONCE, timeout=60)

        def wait(*args: object, **options: object) -> None:
            together.wait()

        with mock.patch.object(login_tests, "check_login", wait):
            try_logins(self.server.pk)
        self.assertFalse(together.broken)

    def test_other_tasks_have_their_turn(self) -> None:
        for _ in range(MOST_AT_ONCE + 2):
            self.add()
        with mock.patch.object(login_tests, "SLICE", 0.05):
            self.assertEqual(try_logins(self.server.pk), f"{MOST_AT_ONCE} tried")
        self.assertEqual(self.logins_queued(), 1)


class LockedOutTests(LoginTestCase):
    def test_the_rest_waits_where_nobody_is_let_in(self) -> None:
        for _ in range(MOST_REFUSED + MOST_AT_ONCE + 2):
            self.add("wrong")
        refused = Finding(Login.WRONG, "No.")
        while held := self.claim():
            for job in held:
                settle_login(job=job, finding=refused)
        jobs = Job.objects.filter(login=Login.UNKNOWN)
        self.assertGreater(jobs.count(), 1)
        self.assertIn("may lock us out", jobs[0].login_words)
        self.assertEqual(self.events().count("batch.logins_held_back"), 1)
        self.assertFalse(Job.objects.with_untried_login().exists())

    def test_one_that_is_right_shows_that_passwords_can_be(self) -> None:
        self.add(login=Login.RIGHT, login_due_at=None)
        for _ in range(MOST_REFUSED):
            self.add("wrong", login=Login.WRONG, login_due_at=None)
        for _ in range(2):
            self.add("wrong")
        [job] = self.claim(most=1)
        settle_login(job=job, finding=Finding(Login.WRONG, "No."))
        self.assertEqual(Job.objects.with_untried_login().count(), 1)


class DeathTests(LoginTestCase):
    def test_what_a_dead_worker_held_is_taken_over(self) -> None:
        job = self.add()
        [mine] = self.claim()
        self.assertEqual(self.claim(), [])
        self.assertEqual(logins.due_servers(), [])
        Job.objects.update(login_due_at=timezone.now() - timedelta(seconds=1))
        login_tests.sweep()
        self.assertEqual(self.logins_queued(), 1)
        try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.RIGHT)
        # The dead worker was only slow
        self.assertFalse(settle_login(job=mine, finding=Finding(Login.WRONG, "No.")))
        self.assertEqual(self.look(job).login, Login.RIGHT)
        self.assertEqual(Run.objects.count(), 1)

    def test_a_login_that_kills_its_workers_is_given_up(self) -> None:
        job = self.add(login_tries=logins.MOST_TRIES)
        self.assertEqual(self.claim(), [])
        self.assertEqual(self.look(job).login, Login.UNKNOWN)
        self.assertIn("again and again", job.login_words)

    def test_the_lease_is_longer_than_two_logins(self) -> None:
        self.assertGreater(LEASE.total_seconds(), 2 * login_tests.PATIENCE)

    def test_a_new_password_meanwhile_is_not_overwritten(self) -> None:
        job = self.add()
        [mine] = self.claim()
        Job.objects.update(login=Login.RIGHT, login_due_at=None)
        settle_login(job=mine, finding=Finding(Login.WRONG, "No."))
        self.assertEqual(self.look(job).login, Login.RIGHT)


class AgainTests(LoginTestCase):
    def test_a_login_is_tried_again_on_request(self) -> None:
        self.client.force_login(self.adam)
        job = self.add(login=Login.UNKNOWN, login_due_at=None, login_tries=4)
        r = self.client.post(f"/migrations/jobs/{job.pk}/login/")
        self.assertEqual(r["Location"], f"/migrations/batches/{self.batch.pk}/")
        self.assertEqual(self.look(job).login, Login.WAITING)
        self.assertEqual(self.logins_queued(), 1)
        try_logins(self.server.pk)
        self.assertEqual(self.look(job).login, Login.RIGHT)
        r = self.client.post(f"/migrations/jobs/{job.pk}/login/")
        [told] = get_messages(r.wsgi_request)
        self.assertIn("needs no other trial", str(told))

    def test_only_people_of_its_domain_may_ask(self) -> None:
        job = self.add(login=Login.WRONG, destination_domain="example.org")
        for person, status in ((self.lina, 404), (self.audrey, 403)):
            self.client.force_login(person)
            r = self.client.post(f"/migrations/jobs/{job.pk}/login/")
            self.assertEqual(r.status_code, status)
        self.assertEqual(self.look(job).login, Login.WRONG)


class PasswordTests(LoginTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)

    def send(self, job: Job, **form: str) -> HttpResponse:
        url = f"/migrations/jobs/{job.pk}/password/"
        return self.client.post(url, form)  # type: ignore[return-value]  # is one

    def test_another_password_makes_the_plan(self) -> None:
        job = self.add("wrong", login=Login.WRONG, login_words="Not let in.")
        url = f"/migrations/jobs/{job.pk}/password/"
        self.assertContains(self.client.get(url), "Not let in.")
        r = self.send(job, password=password_of(SMALL))
        self.assertEqual(r["Location"], f"/migrations/batches/{self.batch.pk}/")
        self.assertEqual(self.look(job).login, Login.RIGHT)
        self.assertTrue(Run.objects.get(job=job).dry_run)

    def test_a_wrong_one_is_told_at_once(self) -> None:
        job = self.add("wrong", login=Login.WRONG)
        r = self.send(job, password="still-wrong")
        self.assertContains(r, "refused this password", status_code=422)
        self.assertEqual(self.look(job).login, Login.WRONG)

    def test_that_of_another_server_can_be_replaced_as_well(self) -> None:
        job = self.add(
            login=Login.WRONG, destination_server=self.server, destination=ANNA
        )
        r = self.send(job, password=password_of(SMALL))
        self.assertContains(r, "Fill this in.", status_code=422)
        form = {"password": password_of(SMALL), "destination_password": "wrong"}
        self.assertContains(self.send(job, **form), "refused", status_code=422)
        form["destination_password"] = password_of(ANNA)
        self.assertEqual(self.send(job, **form).status_code, 302)
        self.assertEqual(self.look(job).login, Login.RIGHT)

    def test_only_people_of_its_domain_may(self) -> None:
        job = self.add(destination_domain="example.org")
        self.client.force_login(self.lina)
        self.assertEqual(self.send(job, password="x").status_code, 404)
