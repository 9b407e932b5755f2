"""Logins that differ from the address they were handed over for."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.migrations.campaigns.review import Review
from purelymanage.migrations.campaigns.verdict_list import counts_of
from purelymanage.migrations.campaigns.verdicts import codes_of
from purelymanage.migrations.models import Job, Launch, Participant, Run, Submission
from purelymanage.migrations.operations import launches, launching
from purelymanage.migrations.operations.launching import (
    Wishes,
    join_late,
    launch,
    take_in_renewed,
)
from purelymanage.migrations.operations.reviewing import CHANGED, agree_to_login
from tests.migrations.campaigns.campaign_case import CampaignCase
from tests.migrations.campaigns.people import OLD, add_people, hand_over, numbered

ANNA, BERT, CARL = (f"{it}@{OLD}" for it in ("anna", "bert", "carl"))
EVE = "eve@old.example"
AGREED = "campaign.login_agreed_to"
AS_USUAL = {"begins": "plan", "takes_late_ones": "on", "tells_owners": "on"}
CameBy = Submission.CameBy


class LoginCase(CampaignCase):
    anna: Participant
    odd: Submission

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.anna, cls.odd = cls.hand_over_other(ANNA, EVE)

    @classmethod
    def hand_over_other(
        cls, address: str, user: str, came_by: CameBy = CameBy.OWN
    ) -> tuple[Participant, Submission]:
        people = add_people(cls.campaign, address)
        (row,) = hand_over(people, user=user, came_by=came_by)
        return people[0], row

    def launch(self, *logins: Submission, **wishes: Any) -> launching.Launched:
        keys = frozenset(it.pk for it in logins)
        return launch(
            campaign=self.campaign,
            wishes=Wishes(logins=keys, **wishes),
            actor=self.adam,
        )

    def agree(self, submission: Submission | None = None) -> None:
        key = (submission or self.odd).pk
        agree_to_login(participant=self.anna, submission=key, actor=self.adam)

    def agreements(self) -> list[str]:
        found = Entry.objects.filter(event=AGREED).order_by("pk")
        return [it.sentence for it in found]


class AgreeTests(LoginCase):
    def test_nobody_is_launched_with_the_login_of_another(self) -> None:
        self.hand_over(BERT)
        self.assertEqual(self.launch().copies, 1)
        self.assertEqual(Job.objects.get().source_user, BERT)
        self.assertEqual(codes_of(self.campaign)[self.anna.pk], ("login", True))

    def test_whichever_way_it_came(self) -> None:
        for way, code in (
            (CameBy.SHARED, "login"),
            (CameBy.OWN, "login"),
            # An administrator wrote that login.
            (CameBy.ADDED, "new"),
        ):
            Submission.objects.update(came_by=way)
            with self.subTest(way=way):
                self.assertEqual(codes_of(self.campaign)[self.anna.pk][0], code)

    def test_whoever_was_agreed_to_is_launched(self) -> None:
        self.agree()
        (said,) = self.agreements()
        self.assertIn(f"agreed that {ANNA}", said)
        self.assertIn(EVE, said)
        self.assertEqual(self.launch().copies, 1)
        self.assertEqual(Job.objects.get().source_user, EVE)

    def test_twice_is_once(self) -> None:
        self.agree()
        self.agree()
        self.assertEqual(len(self.agreements()), 1)

    def test_only_to_what_was_seen(self) -> None:
        Submission.objects.all().delete()
        hand_over([self.anna], user="mallory@old.example", came_by=CameBy.OWN)
        with self.assertRaisesMessage(Refused, CHANGED):
            self.agree()
        self.assertFalse(self.agreements())

    def test_only_by_whoever_may_launch(self) -> None:
        for person in (self.audrey, self.hedy):
            with self.assertRaises(Refused):
                agree_to_login(
                    participant=self.anna, submission=self.odd.pk, actor=person
                )
        self.assertFalse(self.agreements())

    def test_whoever_was_agreed_to_counts_like_others(self) -> None:
        Submission.objects.update(came_by=CameBy.SHARED)
        self.assertFalse(Submission.objects.beyond_doubt().exists())
        self.agree()
        self.assertTrue(Submission.objects.beyond_doubt().exists())
        self.hand_over("anna@other.example")
        found = set(codes_of(self.campaign).values())
        self.assertEqual(found, {("shared", True)})


class LaunchTests(LoginCase):
    @pytest.mark.slow
    def test_all_who_were_shown_may_be_agreed_to_with_the_launch(self) -> None:
        _, carls = self.hand_over_other(CARL, "c.arl", CameBy.SHARED)
        _, later = self.hand_over_other(BERT, "b.ert")
        self.assertEqual(self.launch(self.odd, carls).copies, 2)
        users = set(Job.objects.values_list("source_user", flat=True))
        self.assertEqual(users, {EVE, "c.arl"})
        self.assertEqual(len(self.agreements()), 2)
        later.refresh_from_db()
        self.assertIsNone(later.vouched_at)
        # Once more does nothing.
        self.assertEqual(self.launch(self.odd, carls).copies, 0)
        self.assertEqual(len(self.agreements()), 2)

    def test_a_login_names_who_goes_into_the_same_mailbox(self) -> None:
        self.hand_over("anna@other.example")
        review = Review(self.campaign, self.adam, is_whole=False)
        (anna,) = review.of([self.anna])
        said = "anna@other.example goes into this one as well."
        self.assertIn(said, anna.review.words)

    def test_without_that_nothing_is_launched_nor_agreed_to(self) -> None:
        with self.assertRaisesMessage(Refused, launching.NOTHING):
            self.launch()
        self.assertEqual(counts_of(codes_of(self.campaign).values()).logins, 1)

    @pytest.mark.slow
    def test_who_shares_a_mailbox_as_well_needs_both(self) -> None:
        self.hand_over("anna@other.example")
        self.assertEqual(self.launch(self.odd).copies, 0)
        self.assertEqual(len(self.agreements()), 1)
        self.assertFalse(Job.objects.exists())
        self.assertEqual(self.launch(merges=True).copies, 2)

    def test_what_stands_against_them_comes_first(self) -> None:
        Participant.objects.update(destination="anna@nowhere.example")
        self.assertEqual(codes_of(self.campaign)[self.anna.pk][0], "foreign")
        with self.assertRaisesMessage(Refused, launching.NOTHING):
            self.launch(self.odd)
        self.assertFalse(self.agreements())

    def test_a_worker_takes_those_who_were_agreed_to(self) -> None:
        self.hand_over(BERT, CARL)
        with mock.patch.object(launching, "AT_ONCE", 1):
            self.launch(self.odd)
        launches.take_step(Launch.objects.get().pk)
        self.assertEqual(Job.objects.count(), 3)


class LateTests(LoginCase):
    def setUp(self) -> None:
        super().setUp()
        self.hand_over(BERT)
        super().launch()

    def test_whoever_comes_late_waits_for_it(self) -> None:
        self.assertFalse(join_late(participant=self.anna))
        self.agree()
        self.assertTrue(join_late(participant=self.anna))
        self.assertEqual(Job.objects.filter(source_user=EVE).count(), 1)

    def test_the_same_login_needs_no_second_word(self) -> None:
        self.agree()
        self.launch()
        Submission.objects.filter(participant=self.anna).delete()
        hand_over([self.anna], user=EVE.upper(), came_by=CameBy.OWN)
        self.assertTrue(join_late(participant=self.anna))


class RenewalTests(LoginCase):
    """A copy that there is goes on with the login it was made with."""

    def setUp(self) -> None:
        super().setUp()
        Submission.objects.all().delete()
        hand_over([self.anna])
        self.launch()
        Submission.objects.all().delete()
        (self.odd,) = hand_over([self.anna], user=EVE, came_by=CameBy.OWN)

    def user(self) -> str:
        return Job.objects.get().source_user

    def test_another_login_waits(self) -> None:
        self.assertFalse(join_late(participant=self.anna))
        self.assertEqual(take_in_renewed(), 0)
        self.assertEqual(self.user(), ANNA)
        self.assertEqual(codes_of(self.campaign)[self.anna.pk][0], "switched")
        found = counts_of(codes_of(self.campaign).values())
        self.assertEqual((found.launched, found.switched, found.logins), (1, 1, 0))

    def test_the_copy_takes_it_when_it_was_agreed_to(self) -> None:
        self.agree()
        self.assertEqual(take_in_renewed(), 1)
        self.assertEqual(self.user(), EVE)
        self.assertEqual(Run.objects.count(), 1)


class PageTests(LoginCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = f"/migrations/campaigns/{self.campaign.pk}/"
        self.there = f"{self.url}people/{self.anna.pk}/login/"
        self.client.force_login(self.adam)

    def test_the_review_names_it_and_asks(self) -> None:
        r = self.client.get(self.url)
        self.assertContains(r, f"signs in as {EVE}")
        self.assertContains(r, f'href="{self.there}"')
        self.assertContains(r, "1 signed in as somebody else")
        self.assertContains(r, "The password is right, but it opens another mailbox")
        self.assertContains(r, f'name="logins" value="{self.odd.pk}"')
        self.assertNotContains(r, "1 is ready")
        r = self.client.get(self.url, {"doubt": "login"})
        self.assertContains(r, "Only those who signed in as somebody else.")
        self.assertContains(r, ANNA)

    def test_whoever_may_only_look_is_not_asked(self) -> None:
        self.client.force_login(self.audrey)
        r = self.client.get(self.url)
        self.assertContains(r, f"signs in as {EVE}")
        self.assertNotContains(r, self.there)
        self.assertNotContains(r, 'name="logins"')

    def test_one_is_agreed_to_after_a_look(self) -> None:
        r = self.client.get(self.there)
        self.assertContains(r, EVE)
        self.assertContains(r, f"anna@{self.campaign.destination_domain}")
        r = self.client.post(self.there, {"submission": self.odd.pk}, follow=True)
        self.assertContains(r, "1 is ready")
        self.assertEqual(len(self.agreements()), 1)
        # And the second click, or the way back.
        self.client.post(self.there, {"submission": self.odd.pk})
        self.assertEqual(len(self.agreements()), 1)
        self.assertRedirects(self.client.get(self.there), self.url)

    @pytest.mark.slow
    def test_what_came_since_is_looked_at_first(self) -> None:
        for sent in ({}, {"submission": "0"}, {"submission": "x"}):
            r = self.client.post(self.there, sent, follow=True)
            self.assertContains(r, CHANGED)
        self.assertFalse(self.agreements())

    @pytest.mark.slow
    def test_all_who_were_shown_go_with_the_launch(self) -> None:
        sent = AS_USUAL | {"logins": str(self.odd.pk)}
        r = self.client.post(f"{self.url}launch/", sent, follow=True)
        self.assertContains(r, "Nobody is ready yet")
        r = self.client.post(
            f"{self.url}launch/", sent | {"takes_logins": "on"}, follow=True
        )
        self.assertContains(r, "1 copy was launched.")

    @pytest.mark.slow
    def test_more_of_them_take_no_more_queries(self) -> None:
        for there in (self.url, self.there):
            self.client.get(there)
        with CaptureQueriesContext(connection) as few:
            self.client.get(self.url)
        people = add_people(self.campaign, *numbered(20))
        rows = hand_over(people, came_by=CameBy.OWN)
        for row in rows:
            row.user = f"other{row.pk}"
        Submission.objects.bulk_update(rows, ["user"])
        with CaptureQueriesContext(connection) as many:
            r = self.client.get(self.url)
        self.assertContains(r, "21 signed in as somebody else")
        self.assertEqual(len(few), len(many))

    @pytest.mark.slow
    def test_nonsense_is_nobody(self) -> None:
        for nonsense in ("x", "1,x", "9" * 30, "-1"):
            sent = AS_USUAL | {"takes_logins": "on", "logins": nonsense}
            r = self.client.post(f"{self.url}launch/", sent, follow=True)
            self.assertEqual(r.status_code, 200)
        self.assertFalse(Job.objects.exists())
