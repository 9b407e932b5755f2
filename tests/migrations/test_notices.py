"""Who is told what of copies: single ones at once, those of a batch as one digest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import notices
from purelymanage.audit import tasks as audit_tasks
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry, Notice, OutgoingMail
from purelymanage.migrations.engines.base import Outcome, Verdict
from purelymanage.migrations.failures import Diagnosis, stalled
from purelymanage.migrations.job_states import LIVE, STATES
from purelymanage.migrations.models import Batch, Job, JobAction, Run
from purelymanage.migrations.operations import digests, secrets, settling
from purelymanage.migrations.tasks import tell_of_batches
from tests.migrations.waiting_runs import WithRuns

WRONG = Diagnosis(
    trouble=Run.Trouble.PASSWORD, sentence="The password was refused.", passes=False
)
BROKEN = Diagnosis(trouble=Run.Trouble.PROTOCOL, sentence="Not understood.")


class NoticeTestCase(WithRuns):
    def begin(self, source: str = "ada@old.example", **columns: Any) -> Run:
        """Add a run and let it begin."""
        run = self.add(source, columns.pop("job", None), **columns)
        return self.resume(run)

    def resume(self, run: Run) -> Run:
        now = timezone.now()
        Run.objects.filter(pk=run.pk).update(
            state=Run.State.RUNNING,
            attempt=run.attempt + 1,
            started_at=now,
            lease_until=now + timedelta(minutes=1),
            not_before=None,
            handed_at=None,
        )
        run.refresh_from_db()
        run.attempts.create(number=run.attempt, began_at=now)
        return run

    def end_well(self, run: Run, verdict: Verdict = Verdict.COMPLETE) -> None:
        outcome = Outcome(
            verdict=verdict,
            dry_run=run.dry_run,
            folders=[],
            errors=[],
            messages_copied=3,
            messages_already_there=0,
            messages_failed=0,
            bytes_copied=300,
            seconds=1.0,
        )
        self.assertTrue(settling.settle_success(run=run, outcome=outcome, figures={}))

    def end_badly(self, run: Run, diagnosis: Diagnosis = BROKEN) -> None:
        self.assertTrue(settling.settle_failure(run=run, diagnosis=diagnosis))

    def told(self, person: User | None = None) -> list[str]:
        """The events that a person was told of, the oldest first."""
        notices.make_notices()
        mine = Notice.objects.of(person or self.olga).order_by("entry__sequence")
        return list(mine.values_list("entry__event", flat=True))

    def sentence(self) -> str:
        return Entry.objects.latest("sequence").sentence


class SingleTests(NoticeTestCase):
    def test_a_failure_is_told_at_once_by_mail_and_bell(self) -> None:
        run = self.begin()
        self.end_badly(run)
        audit_tasks.tell_people()
        self.assertEqual(self.told(), [Event.RUN_FAILED])
        mail = OutgoingMail.objects.get(recipient=self.olga.email)
        self.assertIn("could not finish a dry run of ada@old.example", mail.subject)
        self.client.force_login(self.olga)
        page = self.client.get("/notices/")
        self.assertContains(page, f'href="/migrations/jobs/{run.job_id}/"')

    def test_whoever_may_see_the_job_is_told(self) -> None:
        self.end_badly(self.begin())
        for person in (self.olga, self.adam, self.lina, self.audrey):
            self.assertEqual(self.told(person), [Event.RUN_FAILED])
        self.assertEqual(self.told(self.hedy), [], "no right")

    def test_nobody_limited_is_told_of_what_goes_to_another_server(self) -> None:
        other = self.add_server("Other")
        job = {"destination_server": other, "destination_domain": ""}
        self.end_badly(self.begin(job=job))
        self.assertEqual(self.told(self.adam), [Event.RUN_FAILED])
        self.assertEqual(self.told(self.lina), [])

    def test_a_wrong_password_is_told_as_such_and_once(self) -> None:
        self.end_badly(self.begin(), WRONG)
        self.assertEqual(self.told(), [Event.RUN_NEEDS_PASSWORD])
        self.assertIn(
            "needs another password: The password was refused.", self.sentence()
        )

    def test_what_is_tried_again_by_itself_is_not_told(self) -> None:
        lost = Diagnosis(trouble=Run.Trouble.CONNECTION, sentence="Nobody answers.")
        self.end_badly(self.begin(), lost)
        self.assertEqual(self.told(), [])

    def test_that_it_is_stuck_is_told_once(self) -> None:
        run = self.begin()
        for expected in (0, 1, 1):
            self.end_badly(run, stalled("copying", 10))
            self.assertEqual(self.told(), [Event.RUN_STALLED] * expected)
            run = self.resume(run)
        self.end_badly(run, stalled("copying", 10))
        self.assertEqual(self.told(), [Event.RUN_STALLED, Event.RUN_FAILED])

    def test_a_complete_copy_needs_its_passwords_no_more(self) -> None:
        for verdict, is_wiped in ((Verdict.SKIPPED, False), (Verdict.COMPLETE, True)):
            run = self.begin(f"{verdict}@old.example")
            secrets.seal_secret(run.job, "canary")
            secrets.seal_destination_secret(run.job, "another canary")
            run.job.save()
            Run.objects.filter(pk=run.pk).update(dry_run=False)
            self.end_well(run, verdict)
            job = Job.objects.get(pk=run.job_id)
            kept = [job.source_secret, job.destination_secret]
            self.assertEqual(kept == ["", ""], is_wiped, verdict)

    def test_an_end_is_told_in_the_panel(self) -> None:
        self.end_well(self.begin())
        audit_tasks.tell_people()
        self.assertEqual(self.told(), [Event.RUN_FINISHED])
        self.assertFalse(OutgoingMail.objects.exists())


class BatchTests(NoticeTestCase):
    def setUp(self) -> None:
        self.batch = self.add_batch("Move", domains=["shop.example"])

    def begin_in(self, source: str, **columns: Any) -> Run:
        return self.begin(source, job={"batch": self.batch}, **columns)

    def told_after(self) -> list[str]:
        tell_of_batches()
        return self.told()

    def test_one_digest_when_nothing_is_left(self) -> None:
        runs = [self.begin_in(f"{number}@old.example") for number in range(3)]
        self.end_well(runs[0])
        self.end_badly(runs[1])
        self.assertEqual(self.told_after(), [], "one still runs")
        self.end_badly(runs[2], WRONG)
        for _ in range(2):
            self.assertEqual(self.told_after(), [Event.BATCH_PLANNED])
        said = "finished the plans of Move: 1 plan ready, 1 needs a password "
        self.assertIn(said, self.sentence())
        self.assertIn("1 failed (orders@shop.example)", self.sentence())
        self.client.force_login(self.lina)
        page = self.client.get("/notices/")
        self.assertContains(page, f'href="/migrations/batches/{self.batch.pk}/"')

    def test_again_after_something_new_ran(self) -> None:
        first = self.begin_in("ada@old.example")
        self.end_well(first)
        self.assertEqual(self.told_after(), [Event.BATCH_PLANNED])
        Run.objects.update(is_newest=False)
        copy = Run.objects.create(job=first.job, pair=first.pair, dry_run=False)
        self.assertEqual(self.told_after(), [Event.BATCH_PLANNED], "it waits")
        self.end_well(self.resume(copy))
        told = [Event.BATCH_PLANNED, Event.BATCH_FINISHED]
        self.assertEqual(self.told_after(), told)
        self.assertIn("finished the batch Move: 1 complete", self.sentence())

    def test_what_was_stopped_before_it_began_is_no_news(self) -> None:
        run = self.add("ada@old.example", {"batch": self.batch})
        Run.objects.update(state=Run.State.STOPPED, finished_at=timezone.now())
        self.assertEqual(self.told_after(), [])
        self.end_badly(self.begin_in("ben@old.example"))
        self.assertEqual(self.told_after(), [Event.BATCH_PLANNED])
        self.assertTrue(run.job.batch)

    def test_not_while_logins_are_tried_or_more_is_being_asked_for(self) -> None:
        self.end_well(self.begin_in("ada@old.example"))
        job = Job.objects.create(
            batch=self.batch,
            server=self.server,
            source_user="ben@old.example",
            destination="ben@shop.example",
            destination_domain="shop.example",
            login=Job.Login.TRYING,
            created_by=self.adam,
        )
        self.assertEqual(self.told_after(), [])
        job.login, job.login_tried_at = Job.Login.WRONG, timezone.now()
        job.save()
        action = JobAction.objects.create(
            batch=self.batch, kind="copy", keys=[], total=0, requested_by=self.adam
        )
        self.assertEqual(self.told_after(), [])
        action.finished_at = timezone.now()
        action.save()
        self.assertEqual(self.told_after(), [Event.BATCH_PLANNED])
        self.assertIn("1 was not let in (ben@shop.example)", self.sentence())

    def test_where_no_login_was_right_that_is_told(self) -> None:
        Job.objects.create(
            batch=self.batch,
            server=self.server,
            source_user="ben@old.example",
            destination="ben@shop.example",
            login=Job.Login.WRONG,
            login_tried_at=timezone.now(),
            created_by=self.adam,
        )
        self.assertEqual(self.told_after(), [Event.BATCH_PLANNED])

    def test_only_those_who_may_see_the_whole_batch_are_told(self) -> None:
        for domains, is_told in (
            (["shop.example"], True),
            (["example.org", "shop.example"], False),
            ([], False),
        ):
            Notice.objects.all().delete()
            Batch.objects.update(domains=domains, told_at=None)
            self.end_well(self.begin_in(f"{len(domains)}@old.example"))
            tell_of_batches()
            self.assertEqual(bool(self.told(self.lina)), is_told, domains)
            self.assertTrue(self.told(self.adam))
        User.objects.filter(pk=self.lina.pk).update(
            domain_scope=["example.org", "shop.example"]
        )
        self.lina.refresh_from_db()
        Batch.objects.update(domains=["example.org", "shop.example"], told_at=None)
        tell_of_batches()
        self.assertEqual(self.told(self.lina), [Event.BATCH_PLANNED])

    def test_it_takes_the_same_queries_for_any_number_of_batches(self) -> None:
        for number in range(20):
            batch = self.add_batch(f"{number}", told_at=timezone.now())
            self.add(f"{number}@old.example", {"batch": batch})
        with self.assertNumQueries(1):
            digests.tell_of_batches()

    def test_each_end_has_its_words(self) -> None:
        codes = {state.code for state in STATES}
        self.assertEqual(codes - LIVE, set(digests.WORDS))
