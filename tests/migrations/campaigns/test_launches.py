"""Launches of so many people that a worker makes their copies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage import crypto
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.migrations.campaigns.tasks import go_on_launching, sweep_launches
from purelymanage.migrations.models import (
    Batch,
    Campaign,
    Job,
    Launch,
    Participant,
    Run,
    Server,
    Submission,
)
from purelymanage.migrations.operations import launches, launching
from purelymanage.migrations.operations.campaigns import close_campaign
from purelymanage.migrations.operations.digests import tell_of_batches
from purelymanage.migrations.operations.launching import join_late
from purelymanage.migrations.operations.participants import remove_person
from tests.cast import HTMX
from tests.live import asks_again
from tests.migrations.campaigns.people import OLD, add_people, hand_over, numbered
from tests.migrations.campaigns.test_launching import LaunchTestCase

COUNT = 5
USERS = numbered(COUNT)


class ManyCase(LaunchTestCase):
    """Five people where three are too many to wait for, taken two by two."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(launching, "AT_ONCE", 3))
        self.enterContext(mock.patch.object(launches, "STEP", 2))
        self.people = self.hand_over(*USERS)

    def begin(self, **wishes: bool) -> Launch:
        self.assertTrue(self.launch(**wishes).is_under_way)
        return Launch.objects.get()

    def tasks(self) -> list[int]:
        """Return the launches that workers were asked to go on with."""
        found = [it for it in OrmQ.objects.all() if it.func() == launches.TASK]
        return [it.args()[0] for it in found]

    def launched(self) -> list[str]:
        jobs = Job.objects.order_by("number")
        return list(jobs.values_list("source_user", flat=True))


class StepTests(ManyCase):
    def test_the_click_leaves_it_to_a_worker(self) -> None:
        launch = self.begin(begins_with_plan=False, tells_owners=False)
        self.assertEqual((launch.total, launch.done), (COUNT, 0))
        self.assertEqual(self.tasks(), [launch.pk])
        self.assertFalse(Job.objects.exists())
        batch = Batch.objects.get()
        self.assertFalse(batch.tells_owners)
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.batch, batch)
        self.assertEqual(self.events(), ["campaign.launch_begun"])

    @pytest.mark.slow
    def test_each_step_takes_the_next_people(self) -> None:
        launch = self.begin()
        self.assertTrue(launches.take_step(launch.pk))
        self.assertEqual(self.launched(), USERS[:2])
        self.assertTrue(Run.objects.filter(handed_at__isnull=False).exists())
        self.assertTrue(launches.take_step(launch.pk))
        self.assertFalse(launches.take_step(launch.pk))
        self.assertEqual(self.launched(), USERS)
        launch.refresh_from_db()
        self.assertEqual((launch.done, launch.copies), (COUNT, COUNT))
        self.assertIsNotNone(launch.finished_at)
        self.assertEqual(self.events()[-1], "campaign.launched")
        entries = Entry.objects.filter(event="migration.queued")
        self.assertEqual({it.actor for it in entries}, {self.adam})
        self.assertFalse(Submission.objects.exclude(secret="").exists())
        self.assertFalse(launches.take_step(launch.pk))

    def test_a_few_are_launched_by_the_click(self) -> None:
        Participant.objects.filter(address__in=USERS[3:]).delete()
        self.assertEqual(self.launch().copies, 3)
        self.assertFalse(Launch.objects.exists())

    def test_a_step_takes_as_many_queries_as_any_other(self) -> None:
        Server.objects.update(parallel_runs=1)
        launch = self.begin()
        numbers = []
        for step in (1, 3):
            with (
                mock.patch.object(launches, "STEP", step),
                CaptureQueriesContext(connection) as queries,
            ):
                launches.take_step(launch.pk)
            numbers.append(len(queries))
        self.assertLessEqual(numbers[1], numbers[0])

    @pytest.mark.slow
    def test_those_who_share_a_mailbox_go_if_that_is_wanted(self) -> None:
        self.hand_over("user0@else.example")
        self.begin(merges=True)
        go_on_launching(Launch.objects.get().pk)
        self.assertEqual(Job.objects.count(), COUNT + 1)


class MeanwhileTests(ManyCase):
    def finish(self, launch: Launch) -> None:
        go_on_launching(launch.pk)
        launch.refresh_from_db()
        self.assertFalse(launch.is_under_way)

    @pytest.mark.slow
    def test_a_second_click_changes_nothing(self) -> None:
        launch = self.begin()
        again = self.launch(begins_with_plan=False)
        self.assertTrue(again.is_under_way)
        self.campaign.refresh_from_db()
        self.assertTrue(self.campaign.begins_with_plan)
        self.finish(launch)
        self.assertEqual(self.launched(), USERS)

    @pytest.mark.slow
    def test_closing_the_campaign_does_not_hold_it_up(self) -> None:
        launch = self.begin()
        launches.take_step(launch.pk)
        close_campaign(campaign=self.campaign, actor=self.adam)
        self.finish(launch)
        self.assertEqual(self.launched(), USERS)

    @pytest.mark.slow
    def test_somebody_late_joins_and_nobody_is_taken_twice(self) -> None:
        launch = self.begin()
        launches.take_step(launch.pk)
        (late,) = self.hand_over(f"zoe@{OLD}")
        self.assertTrue(join_late(participant=late))
        self.assertTrue(join_late(participant=self.people[4]))
        self.finish(launch)
        self.assertEqual(len(self.launched()), COUNT + 1)
        self.assertEqual(set(self.launched()), {*USERS, late.address})
        self.assertEqual(launch.copies, COUNT - 1)

    @pytest.mark.slow
    def test_who_came_after_the_click_waits_for_a_look(self) -> None:
        launch = self.begin()
        hand_over(add_people(self.campaign, f"zoe@{OLD}", is_listed=False))
        self.finish(launch)
        self.assertEqual(self.launched(), USERS)

    @pytest.mark.slow
    def test_who_is_not_ready_any_more_stays_behind(self) -> None:
        launch = self.begin()
        remove_person(participant=self.people[0], actor=self.adam)
        Participant.objects.filter(pk=self.people[3].pk).update(
            destination="user3@nowhere.example"
        )
        self.finish(launch)
        self.assertEqual(self.launched(), [USERS[1], USERS[2], USERS[4]])

    @pytest.mark.slow
    def test_a_password_that_does_not_open_is_counted(self) -> None:
        broken = Submission.objects.filter(participant=self.people[1])
        broken.update(secret=crypto.seal("x", bound_to="elsewhere"))
        launch = self.begin()
        self.finish(launch)
        self.assertEqual((launch.copies, launch.unreadable), (COUNT - 1, 1))

    @pytest.mark.slow
    def test_stopping_leaves_those_who_are_left_at_the_review(self) -> None:
        launch = self.begin()
        launches.take_step(launch.pk)
        with self.assertRaises(Refused):
            launches.stop_launch(campaign=self.campaign, actor=self.audrey)
        launches.stop_launch(campaign=self.campaign, actor=self.adam)
        self.finish(launch)
        self.assertEqual(self.launched(), USERS[:2])
        entry = Entry.objects.get(event="campaign.launch_stopped")
        self.assertIn("after 2 of 5 copies", entry.sentence)
        with self.assertRaisesMessage(Refused, launches.ENDED):
            launches.stop_launch(campaign=self.campaign, actor=self.adam)
        # And another click takes the others.
        self.assertEqual(self.launch().copies, 3)
        self.assertEqual(self.launched(), USERS)

    def test_it_ends_where_nothing_can_be_launched_any_more(self) -> None:
        launch = self.begin()
        launches.take_step(launch.pk)
        Server.objects.update(removed_at=timezone.now())
        self.finish(launch)
        self.assertEqual(launch.words, "Old was removed from the panel.")
        self.assertEqual(self.events()[-1], "campaign.launch_given_up")

    def test_it_ends_where_who_asked_for_it_may_not_any_more(self) -> None:
        launch = self.begin()
        self.adam.role = Role.AUDITOR
        self.adam.save()
        self.finish(launch)
        self.assertFalse(Job.objects.exists())

    def test_it_ends_where_everything_was_erased(self) -> None:
        launch = self.begin()
        Campaign.objects.update(purged_at=timezone.now())
        self.finish(launch)
        self.assertEqual(launch.words, "What this campaign held was erased.")

    @pytest.mark.slow
    def test_a_worker_that_died_is_replaced(self) -> None:
        launch = self.begin()
        self.assertEqual(sweep_launches(), "0 launches gone on with")
        Launch.objects.update(moved_at=timezone.now() - timedelta(minutes=2))
        OrmQ.objects.all().delete()
        self.assertEqual(sweep_launches(), "1 launches gone on with")
        self.assertEqual(self.tasks(), [launch.pk])
        self.finish(launch)
        self.assertEqual(sweep_launches(), "0 launches gone on with")

    def test_a_long_one_lets_other_tasks_have_their_turn(self) -> None:
        launch = self.begin()
        OrmQ.objects.all().delete()
        with mock.patch("purelymanage.migrations.campaigns.tasks.SLICE", 0):
            go_on_launching(launch.pk)
        self.assertEqual(self.launched(), USERS[:2])
        self.assertEqual(self.tasks(), [launch.pk])

    @pytest.mark.slow
    def test_nobody_is_told_that_the_batch_has_ended(self) -> None:
        launch = self.begin(begins_with_plan=False)
        launches.take_step(launch.pk)
        now = timezone.now()
        Run.objects.update(state=Run.State.DONE, started_at=now, finished_at=now)
        Run.objects.update(verdict=Run.Verdict.COMPLETE)
        self.assertEqual(tell_of_batches(), 0)
        launches.stop_launch(campaign=self.campaign, actor=self.adam)
        self.assertEqual(tell_of_batches(), 1)


@pytest.mark.slow
class PageTests(ManyCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = f"/migrations/campaigns/{self.campaign.pk}/"
        self.client.force_login(self.adam)

    def click(self) -> Any:
        return self.client.post(f"{self.url}launch/", {"begins": "plan"})

    def test_the_page_of_the_campaign_says_how_far_it_is(self) -> None:
        self.assertRedirects(self.click(), self.url)
        launches.take_step(Launch.objects.get().pk)
        r = self.client.get(self.url)
        self.assertContains(r, "2 of 5")
        self.assertContains(r, f'hx-get="{self.url}launch/progress/?mark=2-5-0"')
        self.assertNotContains(r, "Launch 3 more")
        self.client.force_login(self.audrey)
        self.assertNotContains(self.client.get(self.url), "launch/stop/")

    def test_it_asks_for_itself_until_it_has_ended(self) -> None:
        self.click()
        there = f"{self.url}launch/progress/"
        self.client.get(there, headers=HTMX)
        with CaptureQueriesContext(connection) as queries:
            r = self.client.get(there, headers=HTMX)
        self.assertContains(r, "0 of 5")
        self.assertTemplateNotUsed(r, "base.html")
        self.assertLessEqual(len(queries), 4)
        r = self.client.get(f"{there}?mark=0-5-0", headers=HTMX)
        self.assertEqual(r.status_code, 204)
        self.assertRedirects(self.client.get(there), self.url)
        go_on_launching(Launch.objects.get().pk)
        r = self.client.get(there, headers=HTMX)
        self.assertEqual(r["HX-Refresh"], "true")
        r = self.client.get(self.url)
        self.assertContains(r, "5 launched")
        self.assertNotContains(r, "launch/progress/")

    def test_it_says_when_no_worker_goes_on(self) -> None:
        self.click()
        self.assertContains(self.client.get(self.url), "goes on by itself")
        Launch.objects.update(moved_at=timezone.now() - timedelta(minutes=5))
        self.assertContains(self.client.get(self.url), "Nothing has happened since")

    def test_it_can_be_stopped(self) -> None:
        self.click()
        launches.take_step(Launch.objects.get().pk)
        r = self.client.post(f"{self.url}launch/stop/", follow=True)
        self.assertContains(r, "Stopped: 2 of 5 were launched.")
        self.assertContains(r, "adam@example.org stopped it.")
        self.assertContains(r, "Launch 3 more")
        r = self.client.post(f"{self.url}launch/stop/", follow=True)
        self.assertContains(r, launches.ENDED)


# Nothing is said anew because of the time.
@mock.patch("purelymanage.http.SECONDS_UNSAID", 10**12)
class BatchPageTests(ManyCase):
    """The page of the copies, while a worker still adds to them."""

    def setUp(self) -> None:
        super().setUp()
        self.row = self.begin()
        self.url = f"/migrations/batches/{Batch.objects.get().pk}/"
        self.client.force_login(self.adam)

    def step(self) -> None:
        launches.take_step(self.row.pk)

    def ask(self, url: str) -> Any:
        with CaptureQueriesContext(connection) as queries:
            r = self.client.get(url, headers=HTMX)
        self.assertLessEqual(len(queries), 4)
        return r

    @pytest.mark.slow
    def test_it_says_how_far_the_launch_is(self) -> None:
        r = self.client.get(self.url)
        self.assertContains(r, "The launch is still adding: 0 of 5")
        self.assertContains(r, "The first mailboxes appear here in a moment.")
        report = self.client.get(f"{self.url}report/")
        self.assertContains(report, "The launch is still adding: 0 of 5")
        self.assertNotContains(report, "All of them were removed.")
        self.step()
        r = self.client.get(self.url)
        self.assertContains(r, "The launch is still adding: 2 of 5")
        self.assertContains(r, f'href="/migrations/campaigns/{self.campaign.pk}/"')
        self.assertContains(r, "under way")
        report = self.client.get(f"{self.url}report/")
        self.assertContains(report, "The launch is still adding: 2 of 5")
        self.assertContains(report, "2 mailboxes from")
        launches.stop_launch(campaign=self.campaign, actor=self.adam)
        report = self.client.get(f"{self.url}report/")
        self.assertNotContains(report, "still adding")

    @pytest.mark.slow
    def test_a_page_hears_of_each_step_and_of_the_end(self) -> None:
        url = asks_again(self.client.get(self.url), "batch-live")
        self.ask(url)
        for _ in range(2):
            url = asks_again(self.client.get(self.url), "batch-live")
            self.step()
            self.assertEqual(self.ask(url).get("HX-Trigger"), "moved")
        # And of one that nobody is ready for any more, or that was stopped.
        r = self.client.get(self.url)
        Launch.objects.update(done=F("done") + 1)
        r = self.ask(asks_again(r, "batch-live"))
        self.assertContains(r, "The launch is still adding: 5 of 5")
        url = asks_again(r, "batch-live")
        self.assertEqual(self.ask(url).status_code, 204)
        launches.stop_launch(campaign=self.campaign, actor=self.adam)
        self.assertEqual(self.ask(url).get("HX-Trigger"), "moved")
        self.assertNotContains(self.client.get(self.url), "still adding")

    @pytest.mark.slow
    def test_whoever_looks_on_hears_of_it_where_nothing_else_goes_on(self) -> None:
        self.step()
        now = timezone.now()
        Run.objects.update(state=Run.State.STOPPED, finished_at=now, handed_at=None)
        r = self.client.get(self.url)
        self.assertNotEqual(asks_again(r, "batch-live"), "")
        launches.stop_launch(campaign=self.campaign, actor=self.adam)
        self.assertEqual(asks_again(self.client.get(self.url), "batch-live"), "")
