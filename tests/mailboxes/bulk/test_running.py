"""Bulk changes as the workers carry them out, whatever PurelyMail does meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk import deciding, drafts, running
from purelymanage.mailboxes.bulk import tasks as bulk_tasks
from purelymanage.mailboxes.bulk.rows import WORK
from purelymanage.mailboxes.bulk.wanted import Defaults
from purelymanage.mailboxes.models import Bulk, BulkRow, HandOver, Mailbox
from purelymanage.sheets.reading import read
from tests.mailboxes.bulk.cases import ADDRESSES, BulkTestCase, slices_of

State = BulkRow.State


class CreatingTests(BulkTestCase):
    @pytest.mark.slow
    def test_each_row_becomes_a_mailbox_with_a_link(self) -> None:
        bulk = self.import_rows(3, self.adam)
        self.start(bulk, self.adam)
        self.assertEqual(self.made(), [])
        self.work()
        bulk.refresh_from_db()
        self.assertEqual(bulk.state, Bulk.State.DONE)
        self.assertEqual(self.counts(bulk), {State.DONE: 3})
        self.assertEqual(self.made(), sorted(ADDRESSES[:3]))
        self.assertTrue(all(map(self.has_usable_password, self.made())))
        self.assertFalse(bulk.rows.exclude(secret="").exists())
        self.assertEqual(bulk.rows.exclude(hand_over=None).count(), 3)
        self.assertEqual(self.events("mailbox.created").count(), 3)
        sentence = self.events("bulk.finished").get().sentence
        self.assertEqual(sentence, f"finished bulk change {bulk.pk}: 3 done")
        self.assertEqual(Mailbox.objects.filter(address__in=ADDRESSES).count(), 3)
        self.assertEqual(HandOver.objects.count(), 3)

    def test_all_that_a_row_wants_is_asked_for_at_once(self) -> None:
        data = (
            "address,recovery address,recovery phone,tags\n"
            f"{ADDRESSES[0]},zoe@mail.example,+49 170 1234567,sales"
        )
        sheet = read(data.encode(), "people.csv", header=True)
        bulk = drafts.import_sheet(kind=Bulk.Kind.CREATE, sheet=sheet, actor=self.adam)
        names = ("address", "recovery_email", "recovery_phone", "tags")
        drafts.map_columns(
            bulk=bulk,
            columns=dict(enumerate(names)),
            defaults=Defaults(),
            actor=self.adam,
        )
        self.start(bulk, self.adam)
        self.sandbox.calls.clear()
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 1})
        mailbox = Mailbox.objects.get(address=ADDRESSES[0])
        targets = {it["target"] for it in mailbox.recovery_methods}
        self.assertEqual(targets, {"zoe@mail.example", "+491701234567"})
        self.assertEqual(mailbox.tags, ["sales"])
        self.assertEqual(self.sandbox.calls.as_dict(), {"createUser": 1, "getUser": 1})

    @pytest.mark.slow
    def test_it_is_worked_in_slices(self) -> None:
        bulk = self.import_rows(3, self.adam)
        self.start(bulk, self.adam)
        with slices_of(0):
            self.work(slices=1)
            self.assertEqual(self.counts(bulk), {State.DONE: 1, State.WAITING: 2})
            self.assertEqual(self.tasks().count(), 1)
            self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 3})


class TroubleTests(BulkTestCase):
    @pytest.mark.slow
    def test_an_outage_in_the_middle_stops_it_and_nothing_is_done_twice(self) -> None:
        bulk = self.import_rows(200, self.adam)
        self.start(bulk, self.adam)
        with slices_of(0):
            self.work(slices=90)
        self.fault("refuse_before", times=None)
        self.work()
        bulk.refresh_from_db()
        self.assertNotIn("Keep the password", bulk.reason)
        self.assertEqual(bulk.state, Bulk.State.STOPPED)
        self.assertIn("5 rows in a row had no answer", bulk.reason)
        self.assertEqual(self.counts(bulk), {State.DONE: 90, State.WAITING: 110})
        self.assertEqual(self.events("bulk.stopped").count(), 1)
        self.assertEqual(self.tasks().count(), 0)

        self.sandbox.faults.clear()
        deciding.resume_bulk(WORK, bulk=bulk, actor=self.adam)
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 200})
        self.assertEqual(self.made(), sorted(ADDRESSES[:200]))
        self.assertEqual(self.events("mailbox.created").count(), 200)
        self.assertEqual(HandOver.objects.count(), 200)

    @pytest.mark.slow
    def test_what_was_done_without_an_answer_is_found_done(self) -> None:
        bulk = self.import_rows(6, self.adam)
        self.start(bulk, self.adam)
        self.fault("drop_after", "createUser", times=None)
        self.fault("status_500", "getUser", times=None)
        self.fault("status_500", "listUser", times=None)
        self.work()
        self.assertEqual(self.counts(bulk), {State.WAITING: 6})
        self.assertEqual(len(self.made()), 5)

        self.sandbox.faults.clear()
        deciding.resume_bulk(WORK, bulk=bulk, actor=self.adam)
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 6})
        self.assertEqual(self.sandbox.calls.count("createUser"), 6)
        self.assertTrue(all(map(self.has_usable_password, self.made())))
        self.assertEqual(self.events("mailbox.created").count(), 6)

    @pytest.mark.slow
    def test_what_was_not_done_without_an_answer_is_done_once(self) -> None:
        bulk = self.import_rows(3, self.adam)
        self.start(bulk, self.adam)
        self.fault("drop", "createUser")
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 3})
        self.assertTrue(all(map(self.has_usable_password, self.made())))

    def test_an_answer_that_is_lost_leaves_no_doubt_about_the_password(self) -> None:
        bulk = self.import_rows(1, self.adam)
        self.start(bulk, self.adam)
        self.fault("drop_after", "createUser")
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 1})
        self.assertEqual(self.sandbox.calls.count("modifyUser"), 1)
        self.assertTrue(self.has_usable_password(ADDRESSES[0]))

    @pytest.mark.slow
    def test_what_purelymail_refuses_fails_and_can_be_tried_again(self) -> None:
        bulk = self.import_rows(4, self.adam)
        self.start(bulk, self.adam)
        self.fault("error", "createUser", times=2, message="Not on a Sunday.")
        self.work()
        bulk.refresh_from_db()
        self.assertEqual(bulk.state, Bulk.State.DONE)
        self.assertEqual(self.counts(bulk), {State.DONE: 2, State.FAILED: 2})
        self.assertIn("Not on a Sunday.", bulk.rows.failed()[0].reason)
        self.assertIn("2 done, 2 failed", self.events("bulk.finished").get().sentence)

        deciding.retry_failed(WORK, bulk=bulk, actor=self.adam)
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 4})
        self.assertEqual(self.sandbox.calls.count("createUser"), 6)
        self.assertTrue(all(map(self.has_usable_password, self.made())))

    def test_a_mailbox_that_came_meanwhile_is_not_taken_over(self) -> None:
        bulk = self.import_rows(1, self.adam)
        self.start(bulk, self.adam)
        self.remote(
            "createUser", userName="box1", domainName="shop.example", password="theirs"
        )
        self.work()
        self.assertEqual(self.counts(bulk), {State.FAILED: 1})
        self.assertTrue(self.users()[ADDRESSES[0]].password.matches("theirs"))
        self.assertEqual(HandOver.objects.count(), 0)

    def test_success_that_is_none_does_not_count(self) -> None:
        bulk = self.import_rows(1, self.adam)
        self.start(bulk, self.adam)
        self.fault("silent_success", "createUser", times=None)
        self.work()
        [row] = bulk.rows.all()
        self.assertEqual(row.state, State.FAILED)
        self.assertIn("the mailbox is not there", row.reason)
        self.assertTrue(row.secret)


class PeopleTests(BulkTestCase):
    def test_it_stops_with_the_right_of_its_person(self) -> None:
        bulk = self.import_rows(3, self.adam)
        self.start(bulk, self.adam)
        with slices_of(0):
            self.work(slices=1)
        User.objects.filter(pk=self.adam.pk).update(is_active=False)
        self.work()
        bulk.refresh_from_db()
        self.assertEqual(bulk.state, Bulk.State.STOPPED)
        self.assertIn("may not do this any more", bulk.reason)
        self.assertEqual(len(self.made()), 1)

        deciding.resume_bulk(WORK, bulk=bulk, actor=self.olga)
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 3})
        creators = self.events("mailbox.created").values_list("actor__email", flat=True)
        self.assertEqual(
            sorted(creators), ["adam@example.org", *["olga@example.org"] * 2]
        )

    def test_it_stops_where_its_person_is_limited_meanwhile(self) -> None:
        bulk = self.import_rows(2, self.adam)
        self.start(bulk, self.adam)
        User.objects.filter(pk=self.adam.pk).update(domain_scope=["example.org"])
        self.work()
        self.assertEqual(self.made(), [])

    def test_it_can_be_stopped_resumed_and_cancelled(self) -> None:
        bulk = self.import_rows(4, self.adam)
        self.start(bulk, self.adam)
        with slices_of(0):
            self.work(slices=1)
        deciding.stop_bulk(WORK, bulk=bulk, actor=self.olga)
        self.work()
        self.assertEqual(len(self.made()), 1)
        deciding.resume_bulk(WORK, bulk=bulk, actor=self.adam)
        with slices_of(0):
            self.work(slices=1)
        deciding.cancel_rest(WORK, bulk=bulk, actor=self.adam)
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 2, State.LEFT_OUT: 2})
        self.assertFalse(bulk.rows.exclude(secret="").exists())
        with self.assertRaisesMessage(Refused, deciding.TOO_LATE):
            deciding.resume_bulk(WORK, bulk=bulk, actor=self.adam)
        codes = Entry.objects.filter(event__startswith="bulk.").order_by("sequence")
        self.assertEqual(
            [it.event.removeprefix("bulk.") for it in codes],
            ["started", "stopped", "resumed", "cancelled"],
        )

    def test_what_is_to_be_tried_again_at_the_last_moment_is_not_forgotten(
        self,
    ) -> None:
        bulk = self.import_rows(2, self.adam)
        self.start(bulk, self.adam)
        self.fault("error", "createUser")
        finish = running._finish

        def finish_late(*args: Any) -> Any:
            patched.stop()
            deciding.stop_bulk(WORK, bulk=bulk, actor=self.olga)
            deciding.retry_failed(WORK, bulk=bulk, actor=self.olga)
            return finish(*args)

        patched = mock.patch.object(running, "_finish", finish_late)
        patched.start()
        self.addCleanup(mock.patch.stopall)
        self.work()
        bulk.refresh_from_db()
        self.assertEqual(bulk.state, Bulk.State.DONE)
        self.assertEqual(self.counts(bulk), {State.DONE: 2})

    def test_what_was_to_be_tried_again_says_why_it_was_not(self) -> None:
        bulk = self.import_rows(1, self.adam)
        self.start(bulk, self.adam)
        self.fault("error", "createUser")
        self.work()
        deciding.retry_failed(WORK, bulk=bulk, actor=self.adam)
        deciding.cancel_rest(WORK, bulk=bulk, actor=self.adam)
        row = bulk.rows.get()
        self.assertEqual((row.state, row.reason), (State.FAILED, deciding.NOT_AGAIN))

    def test_a_lease_that_ran_out_gives_it_to_the_next(self) -> None:
        bulk = self.import_rows(2, self.adam)
        self.start(bulk, self.adam)
        self.tasks().delete()  # as a killed cluster takes it along
        self.assertEqual(running.sweep(WORK), 1)
        self.assertEqual(running.sweep(WORK), 1)
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 2})
        self.assertEqual(self.sandbox.calls.count("createUser"), 2)

    def test_a_row_whose_worker_died_does_not_work_for_ever(self) -> None:
        bulk = self.import_rows(2, self.adam)
        self.start(bulk, self.adam)
        bulk.rows.filter(address=ADDRESSES[0]).update(state=State.WORKING, attempt=1)
        deciding.cancel_rest(WORK, bulk=bulk, actor=self.adam)
        running.sweep(WORK)
        row = bulk.rows.get(address=ADDRESSES[0])
        self.assertEqual(
            (row.state, row.reason),
            (State.FAILED, running.LEFT_BEHIND.format(word="mailbox")),
        )

    def test_a_row_that_kills_its_workers_is_given_up(self) -> None:
        bulk = self.import_rows(2, self.adam)
        self.start(bulk, self.adam)
        bulk.rows.filter(address=ADDRESSES[0]).update(
            state=State.WORKING,
            attempt=running.MOST_ATTEMPTS,
            started_at=timezone.now(),
        )
        self.work()
        self.assertEqual(self.counts(bulk), {State.FAILED: 1, State.DONE: 1})

    def test_a_row_is_tried_again_as_often_as_somebody_wants(self) -> None:
        bulk = self.import_rows(1, self.adam)
        self.start(bulk, self.adam)
        bulk.rows.update(attempt=running.MOST_ATTEMPTS, started_at=timezone.now())
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 1})

    def test_a_mistake_of_the_panel_fails_a_row_and_not_the_rest(self) -> None:
        bulk = self.import_rows(2, self.adam)
        self.start(bulk, self.adam)
        bulk.rows.filter(address=ADDRESSES[0]).update(secret="1:nonsense")
        with self.assertLogs("purelymanage.mailboxes.bulk.running", "ERROR"):
            self.work()
        self.assertEqual(self.counts(bulk), {State.FAILED: 1, State.DONE: 1})
        self.assertIn("The panel made a mistake", bulk.rows.failed()[0].reason)

    def test_forgotten_drafts_and_passwords_are_wiped(self) -> None:
        draft = self.import_rows(1, self.adam)
        Bulk.objects.filter(pk=draft.pk).update(requested_at=a_day_ago())
        failed = self.import_rows(1, self.adam)
        self.start(failed, self.adam)
        self.fault("error", "createUser")
        self.work()
        self.assertTrue(failed.rows.get().secret)
        Bulk.objects.filter(pk=failed.pk).update(
            settled_at=timezone.now() - Bulk.SECRETS_LIFE
        )
        self.assertIn("1 drafts deleted", bulk_tasks.sweep())
        self.assertFalse(Bulk.objects.filter(pk=draft.pk).exists())
        self.assertEqual(failed.rows.get().secret, "")


def a_day_ago() -> datetime:
    return timezone.now() - timedelta(hours=25)
