from __future__ import annotations

from typing import Any

from django.utils import timezone

from purelymanage.migrations.models import Campaign, Job, Participant, Run, Server
from purelymanage.migrations.operations.launching import Wishes, launch
from tests.cast import HTMX, CastTestCase
from tests.live import asks_again
from tests.migrations.campaigns.cases import ANNA, invite
from tests.migrations.campaigns.people import (
    OLD,
    add_campaign,
    add_people,
    hand_over,
)

State = Run.State


class OwnCopyTests(CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        server = Server.objects.create(
            name="Old", host="imap.old.example", created_by=self.adam
        )
        self.campaign = add_campaign(self.adam, server)
        self.anna, token = invite(self.campaign)
        self.url = f"/gather/{token}/"
        hand_over([self.anna])
        hand_over(add_people(self.campaign, f"bert@{OLD}"))
        launch(campaign=self.campaign, wishes=Wishes(), actor=self.adam)
        self.job = Job.objects.get(source_user=ANNA)

    def run_is(self, state: Run.State = State.DONE, **columns: Any) -> None:
        now = timezone.now()
        columns = {"dry_run": False, "messages": 1204, "state": state} | columns
        if state == State.RUNNING:
            columns["lease_until"] = now
        else:
            columns["finished_at"] = now
        Run.objects.filter(job=self.job).update(**columns)

    def assert_shows(self, *words: str) -> None:
        r = self.client.get(self.url)
        for word in words:
            self.assertContains(r, word)
        self.assertNotContains(r, "bert")

    def test_it_waits_for_its_turn(self) -> None:
        self.assert_shows("waits for its turn", "every 5s", "Look again")

    def test_a_plan_counts(self) -> None:
        self.run_is(State.RUNNING, dry_run=True)
        self.assert_shows("is being counted")
        self.run_is(State.DONE, dry_run=True)
        self.assert_shows("1,204 messages. They are copied soon")

    def test_a_copy_says_how_much_is_there(self) -> None:
        self.run_is(
            State.RUNNING,
            phase=Run.Phase.COPYING,
            already_there=1000,
            copied=100,
            bytes=2000,
            bytes_to_copy=1000,
            bytes_copied=500,
        )
        self.assert_shows("1,100 of 1,204 messages", "75 %", "is being copied")

    def test_it_is_complete_and_asks_for_no_password(self) -> None:
        self.run_is(verdict=Run.Verdict.COMPLETE)
        Job.objects.update(source_secret="", secret_expires_at=None)
        self.assert_shows("All 1,204 messages", "has been copied", "100 %")
        r = self.client.get(self.url)
        self.assertNotContains(r, 'type="password"')
        self.assertNotContains(r, "every 5s")

    def test_what_happens_to_a_password_is_said_as_long_as_there_is_one(self) -> None:
        self.assert_shows("What happens to the password", "This link is for you alone")
        self.run_is(verdict=Run.Verdict.COMPLETE)
        r = self.client.get(self.url)
        self.assertNotContains(r, "What happens to the password")
        self.assertNotContains(r, "This link is for you alone")
        self.assertContains(r, self.campaign.contact)

    def test_what_was_left_out_is_counted(self) -> None:
        self.run_is(verdict=Run.Verdict.SKIPPED, failed=4)
        self.assert_shows("1,200 of 1,204", "4 could not be copied")

    def test_trouble_is_not_theirs(self) -> None:
        self.run_is(State.FAILED, trouble=Run.Trouble.QUOTA, failure="Full of secrets")
        self.assert_shows("has stopped for now")
        self.assertNotContains(self.client.get(self.url), "Full of secrets")

    def test_a_password_that_is_needed_is_asked_for(self) -> None:
        self.run_is(State.FAILED, trouble=Run.Trouble.PASSWORD)
        Job.objects.update(source_secret="", secret_expires_at=None)
        self.assertContains(self.client.get(self.url), 'type="password"')

    def test_it_speaks_the_language_of_the_campaign(self) -> None:
        Campaign.objects.update(language="de")
        self.run_is(verdict=Run.Verdict.COMPLETE)
        self.assert_shows("Alle 1.204 Nachrichten")

    def test_the_part_that_asks_again_is_answered_alone(self) -> None:
        r = self.client.get(self.url, headers=HTMX)
        self.assertContains(r, "waits for its turn")
        self.assertNotContains(r, "<html")

    def test_nothing_is_said_again_before_something_has_moved(self) -> None:
        url = asks_again(self.client.get(self.url), "progress")
        # Whose link it is, of a campaign or of one's own, and the copy.
        with self.assertNumQueries(3):
            self.assertEqual(self.client.get(url, headers=HTMX).status_code, 204)
        self.run_is(State.RUNNING, phase=Run.Phase.COPYING, bytes=10)
        r = self.client.get(url, headers=HTMX)
        self.assertContains(r, "is being copied")
        self.assertNotEqual(asks_again(r, "progress"), url)

    def test_it_goes_on_after_the_campaign_is_over(self) -> None:
        Campaign.objects.update(closed_at=timezone.now())
        r = self.client.get(self.url)
        self.assertContains(r, "waits for its turn", status_code=410)
        self.assertContains(self.client.get(self.url, headers=HTMX), "waits for")

    def test_nobody_else_sees_it(self) -> None:
        _, token = invite(self.campaign, f"carl@{OLD}")
        r = self.client.get(f"/gather/{token}/")
        self.assertNotContains(r, "waits for its turn")
        self.assertNotContains(r, ANNA)

    def test_a_copy_that_was_removed_is_not_shown(self) -> None:
        Job.objects.update(removed_at=timezone.now())
        r = self.client.get(self.url)
        self.assertNotContains(r, "waits for its turn")
        self.assertTrue(Participant.objects.exclude(job=None).exists())
