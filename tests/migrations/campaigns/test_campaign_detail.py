from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purelymanage.audit.models import Entry, OutgoingMail
from purelymanage.migrations.campaigns.tasks import purge
from purelymanage.migrations.models import (
    Campaign,
    Job,
    Participant,
    Run,
    Server,
    SignIn,
    Submission,
)
from tests.account import add_campaign
from tests.cast import HTMX
from tests.migrations.campaigns.people import hand_over
from tests.migrations.campaigns.test_people import PeopleCase

State = Submission.State


class CampaignDetailTests(PeopleCase):
    def person(self, address: str, **columns: object) -> Participant:
        columns = {"is_listed": True} | columns
        return self.campaign.participants.create(address=address, **columns)

    def add_all_states(self) -> None:
        now = timezone.now()
        failed = OutgoingMail.objects.create(
            state=OutgoingMail.State.FAILED, settled_at=now, last_error="550 Unknown"
        )
        for number in range(2):
            job = Job.objects.create(
                server=self.server,
                source_user=f"job{number}@old.example",
                destination=f"job{number}@example.org",
                destination_domain="example.org",
                created_by=self.olga,
            )
            self.person(job.source_user, job=job, submitted_at=now)
        Run.objects.create(
            job=job,
            pair=job.pair,
            dry_run=False,
            engine="pipeline",
            state=Run.State.DONE,
            verdict=Run.Verdict.COMPLETE,
            finished_at=now,
        )
        hand_over([self.person("ready@old.example", refused_at=now)])
        waits = self.person("untried@old.example")
        hand_over([waits], state=State.WAITING)
        self.person("refused@old.example", refused_at=now, opened_at=now)
        hand_over([self.person("silent@old.example")], state=State.UNANSWERED)
        self.person("withdrawn@old.example", withdrawn_at=now, opened_at=now)
        self.person("opened@old.example", opened_at=now, invited_at=now)
        self.person("bounced@old.example", invited_at=now, mail=failed)
        self.person("invited@old.example", invited_at=now)
        self.person("inviting@old.example", mail_due="invitation", mail_due_at=now)
        self.person("listed@old.example")

    def test_it_says_how_far_each_person_is(self) -> None:
        self.add_all_states()
        r = self.client.get(self.url)
        for label in (
            "Complete",
            "Being copied",
            "Password right",
            "Password not tried yet",
            "Password refused",
            "Server never answered",
            "Withdrawn",
            "Link opened",
            "Mail refused",
            "Invited",
            "Invitation on its way",
            "Not invited",
        ):
            self.assertContains(r, f"{label} <b>1</b>")

    @pytest.mark.slow
    def test_it_filters_by_state_and_words(self) -> None:
        self.add_all_states()
        r = self.client.get(f"{self.url}?state=refused", headers=HTMX)
        self.assertContains(r, "refused@old.example")
        self.assertNotContains(r, "opened@old.example")
        self.assertTemplateNotUsed(r, "base.html")
        r = self.client.get(f"{self.url}?q=opened")
        self.assertContains(r, "opened@old.example")
        self.assertNotContains(r, "withdrawn@old.example")
        r = self.client.get(f"{self.url}?q=nobody-like-this&state=\0")
        self.assertContains(r, "Nobody is like this")

    @pytest.mark.slow
    def test_more_people_are_not_more_queries(self) -> None:
        self.client.get(self.url)
        numbers = []
        for count in (1, 40):
            for number in range(count):
                person = self.person(f"user{count}-{number}@old.example")
                hand_over([person])
            with CaptureQueriesContext(connection) as queries:
                self.client.get(self.url)
            numbers.append(len(queries))
        self.assertEqual(numbers[0], numbers[1])

    def test_whoever_turns_a_page_asks_for_nothing_beside_it(self) -> None:
        self.add_all_states()
        numbers = []
        for headers in ({}, HTMX):
            self.client.get(self.url, headers=headers)
            with CaptureQueriesContext(connection) as queries:
                self.client.get(self.url, headers=headers)
            numbers.append(len(queries))
        # Not what the review, the bar and the mails come to.
        self.assertLessEqual(numbers[1], numbers[0] - 6)

    def test_the_link_is_for_those_who_may_use_it(self) -> None:
        self.assertContains(self.client.get(self.url), "/gather/")
        self.client.force_login(self.audrey)
        r = self.client.get(self.url)
        self.assertNotContains(r, "/gather/")
        self.assertNotContains(r, "Add people")

    def test_a_server_without_protection_is_told(self) -> None:
        self.assertNotContains(self.client.get(self.url), "not protected on their way")
        Server.objects.update(verify_certificate=False)
        self.assertContains(self.client.get(self.url), "not protected on their way")

    def test_it_is_nobody_elses(self) -> None:
        for user, status in ((self.lina, 404), (self.hedy, 403)):
            self.client.force_login(user)
            self.assertEqual(self.client.get(self.url).status_code, status)
        self.client.force_login(self.lina)
        r = self.client.get("/migrations/campaigns/")
        self.assertNotContains(r, "Autumn move")

    def test_the_list_counts_who_answered(self) -> None:
        self.add_all_states()
        add_campaign(self.server, name="Another", rows=2)
        r = self.client.get("/migrations/campaigns/")
        counts = [(it.name, it.people, it.answered) for it in r.context["page"]]
        self.assertEqual(counts, [("Another", 2, 0), ("Autumn move", 12, 3)])


class DashboardTests(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.add("anna@old.example")
        hand_over(Participant.objects.all())

    def test_it_says_what_waits_to_be_launched(self) -> None:
        r = self.client.get("/")
        self.assertContains(r, "1 person of Autumn move waits to be launched.")
        self.assertContains(r, "It takes passwords until")
        Campaign.objects.update(closed_at=timezone.now())
        self.assertContains(self.client.get("/"), "Their passwords are erased at")

    def test_a_copy_that_was_removed_counts_as_none(self) -> None:
        job = Job.objects.create(
            server=self.server,
            source_user="anna@old.example",
            destination="anna@example.org",
            created_by=self.olga,
            removed_at=timezone.now(),
        )
        Participant.objects.update(job=job)
        self.assertContains(self.client.get("/"), "1 person of Autumn move waits")
        # Its password was used up.
        Submission.objects.update(secret="")
        self.assertNotContains(self.client.get("/"), "to be launched")
        Submission.objects.all().delete()
        r = self.client.get(f"{self.url}mails/invitation/")
        self.assertContains(r, "Invite 1 person")
        r = self.client.get("/migrations/campaigns/")
        self.assertEqual([it.answered for it in r.context["page"]], [0])

    def test_others_are_not_told(self) -> None:
        for user in (self.lina, self.audrey):
            self.client.force_login(user)
            self.assertNotContains(self.client.get("/"), "to be launched")

    def test_what_was_withdrawn_does_not_wait(self) -> None:
        Submission.objects.all().delete()
        self.assertNotContains(self.client.get("/"), "to be launched")


class CloseCampaignTests(PeopleCase):
    def test_it_takes_no_password_and_sends_no_mail_any_more(self) -> None:
        self.add("anna@old.example")
        self.client.post(f"{self.url}mails/invitation/send/")
        self.assertContains(self.client.get(f"{self.url}close/"), "for 7 days")
        r = self.client.post(f"{self.url}close/", follow=True)
        self.assertContains(r, "Its links do not take passwords any more")
        self.campaign.refresh_from_db()
        self.assertFalse(self.campaign.is_open)
        self.assertEqual(Participant.objects.get().mail_due, "")
        self.assertEqual(self.events()[-1], "closed the campaign Autumn move")

    def test_it_ends_once(self) -> None:
        self.client.post(f"{self.url}close/")
        r = self.client.post(f"{self.url}close/", follow=True)
        self.assertContains(r, "This campaign is over.")
        found = Entry.objects.filter(event="campaign.closed")
        self.assertEqual(found.count(), 1)


class PurgeTests(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.add("anna@old.example\nben@old.example")
        hand_over([Participant.objects.first() or Participant()])
        SignIn.objects.create(
            server=self.server, campaign=self.campaign, holds_until=timezone.now()
        )

    def end(self, **ago: int) -> None:
        Campaign.objects.update(closed_at=timezone.now() - timedelta(**ago))

    def test_a_week_after_its_end_nothing_about_people_is_left(self) -> None:
        self.end(days=7)
        token_hash = self.campaign.token_hash
        self.assertEqual(purge(), "1 campaigns erased")
        for model in (Participant, Submission, SignIn):
            self.assertFalse(model.objects.exists())
        self.campaign.refresh_from_db()
        self.assertEqual((self.campaign.token, self.campaign.contact), ("", ""))
        self.assertEqual(self.campaign.token_hash, token_hash)
        self.assertEqual(
            self.events()[-1],
            "erased what the campaign Autumn move held about people: 2 people, "
            "1 password",
        )
        self.assertContains(self.client.get(self.url), "Everything about its people")
        self.assertContains(self.client.get("/migrations/campaigns/"), "Erased")

    def test_it_happens_once_and_not_before(self) -> None:
        self.end(days=6, hours=23)
        self.assertEqual(purge(), "0 campaigns erased")
        self.assertEqual(Participant.objects.count(), 2)
        Campaign.objects.update(closed_at=None, ends_at=timezone.now() - Campaign.KEPT)
        self.assertEqual(purge(), "1 campaigns erased")
        self.assertEqual(purge(), "0 campaigns erased")

    def test_copies_go_on_without_them(self) -> None:
        job = Job.objects.create(
            server=self.server,
            source_user="anna@old.example",
            destination="anna@example.org",
            created_by=self.olga,
        )
        Participant.objects.filter(address="anna@old.example").update(job=job)
        self.end(days=8)
        purge()
        self.assertTrue(Job.objects.filter(pk=job.pk).exists())
