from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import (
    Batch,
    Campaign,
    Job,
    Participant,
    Run,
    Server,
    Submission,
)
from purelymanage.migrations.operations import campaign_copies, launching
from purelymanage.migrations.operations.launching import Wishes, join_late, launch
from purelymanage.migrations.operations.secrets import open_secret
from purelymanage.migrations.operations.servers import edit_server
from tests.migrations.campaigns.campaign_case import CampaignCase
from tests.migrations.campaigns.people import (
    DOMAIN,
    OLD,
    SECRET,
    add_campaign,
    add_people,
    hand_over,
    numbered,
)

ANNA, BERT, CARL = (f"{it}@{OLD}" for it in ("anna", "bert", "carl"))


class LaunchTestCase(CampaignCase):
    def launch(self, **wishes: Any) -> launching.Launched:
        return launch(campaign=self.campaign, wishes=Wishes(**wishes), actor=self.adam)

    def events(self) -> list[str]:
        return list(Entry.objects.order_by("pk").values_list("event", flat=True))


class LaunchTests(LaunchTestCase):
    @pytest.mark.slow
    def test_those_who_are_ready_are_queued_in_one_batch(self) -> None:
        Mailbox.objects.create(address=f"bert@{DOMAIN}", domain=DOMAIN)
        add_people(self.campaign, CARL)
        self.hand_over(ANNA, BERT)
        found = self.launch()
        batch = Batch.objects.get()
        self.assertEqual((found.batch, found.copies), (batch, 2))
        self.assertEqual((batch.name, batch.server), (self.campaign.name, self.server))
        self.assertEqual(batch.domains, [DOMAIN])
        self.assertIsNotNone(batch.confirmed_at)
        self.assertTrue(batch.tells_owners)
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.batch, batch)
        self.assertEqual(self.campaign.launched_by, self.adam)
        jobs = batch.jobs.order_by("number")
        self.assertEqual(
            [(it.number, it.source_user, it.destination) for it in jobs],
            [(1, ANNA, f"anna@{DOMAIN}"), (2, BERT, f"bert@{DOMAIN}")],
        )
        self.assertEqual([it.creates_destination for it in jobs], [True, False])
        self.assertEqual({it.login for it in jobs}, {Job.Login.RIGHT})
        runs = Run.objects.order_by("pk")
        self.assertEqual([it.job for it in runs], list(jobs))
        self.assertEqual({it.dry_run for it in runs}, {True})
        self.assertTrue(all(it.handed_at for it in runs))
        self.assertEqual(
            self.events(),
            ["campaign.launched", *["migration.created", "migration.queued"] * 2],
        )

    def test_the_password_is_sealed_for_the_copy_and_erased_here(self) -> None:
        (anna,) = self.hand_over(ANNA)
        self.launch()
        anna.refresh_from_db()
        assert anna.job is not None
        self.assertEqual(open_secret(anna.job), SECRET)
        self.assertEqual(Submission.objects.get().secret, "")

    def test_whoever_signs_in_by_another_name_does_so_in_the_copy(self) -> None:
        added = Submission.CameBy.ADDED
        hand_over(add_people(self.campaign, ANNA), user="anna.old", came_by=added)
        self.launch()
        self.assertEqual(Job.objects.get().source_user, "anna.old")

    def test_copies_may_begin_without_a_plan(self) -> None:
        self.hand_over(ANNA)
        self.launch(begins_with_plan=False, tells_owners=False)
        self.assertFalse(Run.objects.get().dry_run)
        self.assertFalse(Batch.objects.get().tells_owners)

    def test_a_second_time_takes_nobody_twice(self) -> None:
        self.hand_over(ANNA)
        first = self.launch()
        again = self.launch()
        self.assertEqual((again.batch, again.copies), (first.batch, 0))
        self.assertEqual((Job.objects.count(), Run.objects.count()), (1, 1))
        self.hand_over(BERT)
        more = self.launch()
        self.assertEqual((more.batch, more.copies), (first.batch, 1))
        numbers = Job.objects.order_by("number").values_list("number", "source_user")
        self.assertEqual(list(numbers), [(1, ANNA), (2, BERT)])

    def test_nobody_who_is_in_doubt_is_taken(self) -> None:
        self.hand_over(ANNA)
        self.hand_over("x@one.example", "x@two.example")
        self.hand_over(BERT, destination="bert@nowhere.example")
        self.assertEqual(self.launch().copies, 1)
        self.assertEqual(Job.objects.get().source_user, ANNA)

    def test_several_go_into_one_mailbox_if_that_is_wanted(self) -> None:
        self.hand_over("x@one.example", "x@two.example")
        with self.assertRaisesMessage(Refused, launching.NOTHING):
            self.launch()
        self.assertEqual(self.launch(merges=True).copies, 2)
        found = set(Job.objects.values_list("destination", flat=True))
        self.assertEqual(found, {f"x@{DOMAIN}"})

    def test_nothing_is_made_where_nobody_is_ready(self) -> None:
        add_people(self.campaign, ANNA)
        with self.assertRaisesMessage(Refused, launching.NOTHING):
            self.launch()
        self.assertFalse(Batch.objects.exists())

    def test_a_password_that_does_not_open_holds_up_nobody(self) -> None:
        self.hand_over(ANNA, BERT)
        broken = Submission.objects.filter(participant__address=ANNA)
        broken.update(secret=crypto.seal("x", bound_to="elsewhere"))
        found = self.launch()
        self.assertEqual((found.copies, found.unreadable), (1, 1))

    def test_only_whoever_is_responsible_for_all_may_launch(self) -> None:
        self.hand_over(ANNA)
        for person in (self.audrey, self.hedy):
            with self.assertRaises(Refused):
                launch(campaign=self.campaign, wishes=Wishes(), actor=person)
        self.lina.domain_scope = ["else.example"]
        with self.assertRaises(Refused):
            launch(campaign=self.campaign, wishes=Wishes(), actor=self.lina)
        self.lina.domain_scope = [DOMAIN]
        launch(campaign=self.campaign, wishes=Wishes(), actor=self.lina)
        self.assertEqual(Job.objects.get().created_by, self.lina)

    def test_one_that_was_closed_can_be_launched_until_it_is_purged(self) -> None:
        self.hand_over(ANNA)
        Campaign.objects.update(closed_at=timezone.now())
        self.assertEqual(self.launch().copies, 1)
        Campaign.objects.update(purged_at=timezone.now())
        with self.assertRaisesMessage(Refused, campaign_copies.ERASED):
            self.launch()

    def test_nothing_goes_to_a_server_that_is_another_one_by_now(self) -> None:
        self.hand_over(ANNA)
        with self.assertRaisesMessage(Refused, "Close it first"):
            edit_server(server=self.server, host="new.example", actor=self.adam)
        Campaign.objects.update(closed_at=timezone.now())
        erased = edit_server(server=self.server, host="new.example", actor=self.adam)
        self.assertEqual(erased.passwords, 1)
        self.assertFalse(Submission.objects.exists())
        with self.assertRaisesMessage(Refused, launching.NOTHING):
            self.launch()
        Server.objects.update(removed_at=timezone.now())
        with self.assertRaisesMessage(Refused, "was removed"):
            self.launch()

    def test_a_thousand_take_as_many_queries_as_one(self) -> None:
        self.hand_over(*numbered(2))
        with CaptureQueriesContext(connection) as few:
            self.launch()
        other = add_campaign(self.adam, self.server, destination_domain="other.example")
        self.campaign = other
        self.hand_over(*numbered(40, "older.example"))
        Campaign.objects.update(destination_domain=DOMAIN)
        Participant.objects.filter(campaign=other).update(is_listed=False)
        Server.objects.update(parallel_runs=1)
        other.destination_domain = DOMAIN
        with CaptureQueriesContext(connection) as many:
            found = launch(campaign=other, wishes=Wishes(merges=True), actor=self.adam)
        self.assertEqual(found.copies, 40)
        self.assertLessEqual(len(many), len(few))


class LateTests(LaunchTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hand_over(ANNA)

    def late(self, address: str, **columns: str) -> bool:
        (person,) = self.hand_over(address, **columns)
        return join_late(participant=person)

    def test_somebody_late_joins_the_batch(self) -> None:
        self.launch(begins_with_plan=False)
        self.assertTrue(self.late(BERT))
        job = Job.objects.get(source_user=BERT)
        self.assertEqual((job.batch, job.number), (Batch.objects.get(), 2))
        self.assertEqual(job.created_by, self.adam)
        self.assertFalse(Run.objects.get(job=job).dry_run)
        self.assertIn("campaign.late_one_joined", self.events())

    def test_nobody_joins_before_the_launch(self) -> None:
        self.assertFalse(self.late(BERT))
        self.assertFalse(Job.objects.exists())

    def test_nobody_joins_where_it_is_not_wanted(self) -> None:
        self.launch(takes_late_ones=False)
        self.assertFalse(self.late(BERT))
        self.assertEqual(Job.objects.count(), 1)

    def test_whoever_is_in_conflict_waits(self) -> None:
        self.launch()
        self.assertFalse(self.late("anna@other.example"))
        self.assertFalse(self.late(BERT, destination="bert@nowhere.example"))
        self.assertEqual(Job.objects.count(), 1)

    def test_nobody_joins_for_somebody_who_may_not_launch(self) -> None:
        self.launch()
        self.adam.role = Role.AUDITOR
        self.adam.save()
        self.assertFalse(self.late(BERT))

    @pytest.mark.slow
    def test_a_stranger_waits_for_somebody_to_look(self) -> None:
        self.launch()
        # Whatever they prove: a mailbox would be created for them.
        for address, user in (("eve@else.example", ""), (BERT, "eve@else.example")):
            people = add_people(self.campaign, address, is_listed=False)
            hand_over(people, user=user)
            with self.subTest(user=user):
                self.assertFalse(join_late(participant=people[0]))
        self.assertEqual(Job.objects.count(), 1)
        Participant.objects.filter(address=BERT).delete()
        self.assertEqual(self.launch().copies, 1)

    def test_only_the_one_who_came_joins(self) -> None:
        self.launch()
        self.hand_over(CARL)
        self.assertTrue(self.late(BERT))
        self.assertFalse(Job.objects.filter(source_user=CARL).exists())


class RenewalTests(LaunchTestCase):
    def setUp(self) -> None:
        super().setUp()
        (self.anna,) = self.hand_over(ANNA)
        self.launch()
        self.job = Job.objects.get()

    def renew(self, *, user: str = "") -> bool:
        Submission.objects.all().delete()
        added = Submission.CameBy.ADDED
        hand_over([self.anna], password="another", user=user, came_by=added)
        return join_late(participant=self.anna)

    def password(self) -> str:
        self.job.refresh_from_db()
        return open_secret(self.job)

    def end(self, state: Run.State, **columns: object) -> None:
        Run.objects.update(state=state, finished_at=timezone.now(), **columns)

    def test_the_copy_gets_the_new_password(self) -> None:
        self.assertTrue(self.renew())
        self.assertEqual(self.password(), "another")
        self.assertEqual(Submission.objects.get().secret, "")
        self.assertEqual(self.events()[-1], "migration.password_replaced")
        self.assertEqual((Job.objects.count(), Run.objects.count()), (1, 1))

    def test_what_failed_for_a_password_is_queued_again(self) -> None:
        self.end(Run.State.FAILED, trouble=Run.Trouble.PASSWORD)
        Job.objects.update(source_secret="", secret_expires_at=None)
        self.assertTrue(self.renew())
        newest = Run.objects.get(is_newest=True)
        self.assertEqual((newest.state, newest.dry_run), (Run.State.QUEUED, True))

    def test_what_was_put_off_goes_on(self) -> None:
        Run.objects.update(
            not_before=timezone.now() + timedelta(hours=1), handed_at=None
        )
        self.assertTrue(self.renew())
        self.assertIsNone(Run.objects.get().not_before)

    def test_a_plan_that_is_ready_is_left_as_it_is(self) -> None:
        self.end(Run.State.DONE, verdict=Run.Verdict.COMPLETE)
        self.assertTrue(self.renew())
        self.assertEqual(Run.objects.count(), 1)

    def test_a_copy_that_is_complete_needs_none(self) -> None:
        self.end(Run.State.DONE, dry_run=False, verdict=Run.Verdict.COMPLETE)
        self.assertFalse(self.renew())
        self.assertEqual(self.password(), SECRET)
        self.assertEqual(Submission.objects.get().secret, "")

    def test_one_that_runs_gets_it_when_it_has_ended(self) -> None:
        lease = timezone.now() + timedelta(minutes=1)
        Run.objects.update(state=Run.State.RUNNING, lease_until=lease)
        self.assertFalse(self.renew())
        self.assertNotEqual(Submission.objects.get().secret, "")
        self.assertEqual(launching.take_in_renewed(), 0)
        self.end(Run.State.FAILED, trouble=Run.Trouble.CONNECTION)
        self.assertEqual(launching.take_in_renewed(), 1)
        self.assertEqual(self.password(), "another")

    def test_another_user_name_is_taken_over(self) -> None:
        self.assertTrue(self.renew(user="anna"))
        self.assertEqual(self.password(), "another")
        self.assertEqual(self.job.source_user, "anna")
        self.assertEqual(Run.objects.get().pair, self.job.pair)

    def test_not_that_of_a_mailbox_with_a_copy_of_its_own(self) -> None:
        self.hand_over(BERT)
        self.launch()
        self.assertFalse(self.renew(user=BERT))
        self.assertEqual(self.password(), SECRET)

    def test_a_copy_that_was_removed_is_made_anew(self) -> None:
        self.end(Run.State.STOPPED)
        Job.objects.update(removed_at=timezone.now())
        self.assertTrue(self.renew())
        self.anna.refresh_from_db()
        self.assertNotEqual(self.anna.job, self.job)
        self.assertEqual(Job.objects.present().count(), 1)
