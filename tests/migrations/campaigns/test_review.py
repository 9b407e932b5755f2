from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purelymanage import crypto
from purelymanage.audit.models import Entry
from purelymanage.domains.models import Domain
from purelymanage.migrations.models import (
    Batch,
    Campaign,
    Job,
    Submission,
)
from tests.migrations.campaigns.campaign_case import CampaignCase
from tests.migrations.campaigns.people import (
    DOMAIN,
    OLD,
    add_people,
    hand_over,
    numbered,
)

ANNA, BERT, CARL = (f"{it}@{OLD}" for it in ("anna", "bert", "carl"))
AS_USUAL = {"begins": "plan", "takes_late_ones": "on", "tells_owners": "on"}


class ReviewTestCase(CampaignCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = f"/migrations/campaigns/{self.campaign.pk}/"
        self.client.force_login(self.adam)


class PageTests(ReviewTestCase):
    def test_it_says_who_is_ready_and_what_would_become_of_them(self) -> None:
        self.hand_over(ANNA, BERT)
        add_people(self.campaign, CARL)
        r = self.client.get(self.url)
        self.assertContains(r, "2 are ready")
        self.assertContains(r, "2 new mailboxes will be created")
        self.assertContains(r, "Launch all 2")
        self.assertContains(r, "Will be created", count=3)

    def test_nobody_is_ready_at_first(self) -> None:
        add_people(self.campaign, CARL)
        r = self.client.get(self.url)
        self.assertContains(r, "password is right, the mailbox can be copied")
        self.assertNotContains(r, "Launch ")

    def test_a_conflict_names_the_other(self) -> None:
        self.hand_over(ANNA, "anna@other.example")
        r = self.client.get(self.url)
        self.assertContains(r, f"{ANNA} goes into this one as well.")
        self.assertContains(r, "anna@other.example goes into this one as well.")
        self.assertContains(r, "2 would go into a mailbox with somebody else")
        self.assertContains(r, "Also those who share a new mailbox")

    def test_a_conflict_names_what_is_copied_already(self) -> None:
        Job.objects.create(
            server=self.server,
            source_user="else@old.example",
            destination=f"anna@{DOMAIN}",
            created_by=self.adam,
        )
        self.hand_over(ANNA)
        r = self.client.get(self.url)
        self.assertContains(r, "else@old.example goes into this one as well.")

    def test_it_says_who_signs_in_with_another_name(self) -> None:
        self.hand_over(ANNA)
        hand_over(add_people(self.campaign, BERT), user="eve@old.example")
        r = self.client.get(self.url)
        self.assertContains(r, "signs in as eve@old.example")
        self.assertNotContains(r, f"signs in as {ANNA}")

    def test_one_who_came_twice_names_the_other(self) -> None:
        self.hand_over(ANNA)
        own = Submission.CameBy.OWN
        hand_over(add_people(self.campaign, BERT), user=ANNA, came_by=own)
        r = self.client.get(self.url)
        self.assertContains(r, f"{ANNA}: the same old mailbox.")
        self.assertContains(r, f"{BERT}: the same old mailbox.")

    @pytest.mark.slow
    def test_only_those_in_question_are_listed(self) -> None:
        self.hand_over(ANNA)
        self.hand_over("x@one.example", "x@two.example")
        self.hand_over(BERT, destination="bert@nowhere.example")
        add_people(self.campaign, CARL)
        for doubt, number in (("ready", 1), ("shared", 2), ("held", 1), ("", 5)):
            r = self.client.get(self.url, {"doubt": doubt})
            with self.subTest(doubt=doubt):
                self.assertEqual(r.context["page"].paginator.count, number)
        r = self.client.get(self.url, {"doubt": "held"})
        self.assertContains(r, "Only those who cannot be copied as they are.")

    def test_who_was_launched_leads_to_their_copy(self) -> None:
        self.hand_over(ANNA)
        self.client.post(f"{self.url}launch/", AS_USUAL)
        r = self.client.get(self.url)
        job = Job.objects.get()
        self.assertContains(r, f'href="/migrations/jobs/{job.pk}/"')
        self.assertContains(r, f'href="/migrations/batches/{job.batch_id}/"')
        self.assertContains(r, "1 launched")

    def test_whoever_may_only_look_cannot_launch(self) -> None:
        self.hand_over(ANNA)
        self.client.force_login(self.audrey)
        r = self.client.get(self.url)
        self.assertContains(r, "1 is ready")
        self.assertNotContains(r, "Launch ")

    def test_more_people_take_no_more_queries(self) -> None:
        self.hand_over(ANNA, "anna@other.example")
        with CaptureQueriesContext(connection) as few:
            self.client.get(self.url)
        self.hand_over(*numbered(20), *numbered(20, "other.example"))
        with CaptureQueriesContext(connection) as many:
            self.client.get(self.url)
        self.assertEqual(len(few), len(many))


class LaunchPageTests(ReviewTestCase):
    def launch(self, **data: str) -> Any:
        return self.client.post(f"{self.url}launch/", AS_USUAL | data, follow=True)

    def test_it_launches_and_goes_to_the_copies(self) -> None:
        self.hand_over(ANNA, BERT)
        r = self.client.post(f"{self.url}launch/", AS_USUAL)
        batch = Batch.objects.get()
        self.assertEqual(r["Location"], f"/migrations/batches/{batch.pk}/")
        r = self.client.get(r["Location"])
        self.assertContains(r, "2 copies were launched.")
        # And back again.
        self.assertContains(r, f'href="{self.url}"')

    @pytest.mark.slow
    def test_twice_says_that_nothing_was_left(self) -> None:
        self.hand_over(ANNA)
        self.launch()
        self.assertContains(self.launch(), "Everybody who was ready is here already.")
        self.assertEqual(Job.objects.count(), 1)

    def test_what_is_wanted_is_kept(self) -> None:
        self.hand_over(ANNA)
        self.client.post(f"{self.url}launch/", {"begins": "copy"})
        self.campaign.refresh_from_db()
        self.assertFalse(self.campaign.begins_with_plan)
        self.assertFalse(self.campaign.takes_late_ones)
        self.assertFalse(Batch.objects.get().tells_owners)

    def test_it_says_why_not(self) -> None:
        self.assertContains(self.launch(), "Nobody is ready yet")

    @pytest.mark.slow
    def test_those_who_share_a_mailbox_go_if_that_is_wanted(self) -> None:
        self.hand_over(ANNA, "anna@other.example")
        self.assertContains(self.launch(), "Nobody is ready yet")
        self.launch(merges="on")
        self.assertEqual(Job.objects.count(), 2)


class DestinationTests(ReviewTestCase):
    def setUp(self) -> None:
        super().setUp()
        (self.anna,) = self.hand_over(ANNA)
        self.there = f"{self.url}people/{self.anna.pk}/destination/"

    def change(self, destination: str) -> str:
        self.client.post(self.there, {"destination": destination})
        self.anna.refresh_from_db()
        return self.anna.destination

    def test_somebody_goes_elsewhere(self) -> None:
        r = self.client.post(self.there, {"destination": "Office"})
        self.assertRedirects(r, self.url)
        self.anna.refresh_from_db()
        self.assertEqual(self.anna.destination, f"office@{DOMAIN}")
        entry = Entry.objects.get(event="campaign.destination_changed")
        self.assertIn(f"from anna@{DOMAIN} to office@{DOMAIN}", entry.sentence)

    def test_what_the_rule_says_is_not_written_down(self) -> None:
        self.change("office")
        self.assertEqual(self.change(f"anna@{DOMAIN}"), "")
        self.assertEqual(self.change("office"), f"office@{DOMAIN}")
        self.assertEqual(self.change(""), "")

    def test_another_domain_is_noted_for_who_may_see_the_campaign(self) -> None:
        Domain.objects.create(name="other.example")
        self.client.force_login(self.lina)
        self.assertEqual(self.client.get(self.url).status_code, 200)
        self.client.force_login(self.adam)
        self.change("anna@other.example")
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.domains, ["other.example", DOMAIN])
        self.client.force_login(self.lina)
        self.assertEqual(self.client.get(self.url).status_code, 404)

    def test_it_must_be_an_address_of_this_account(self) -> None:
        Domain.objects.create(name="other.example")
        self.client.force_login(self.lina)
        for wrong, words in (
            ("a b", "no spaces"),
            ("a@b@c", "more than one @"),
            ("anna@nowhere.example", "is not one of your domains"),
            ("anna@other.example", "is not one of your domains"),
        ):
            r = self.client.post(self.there, {"destination": wrong})
            with self.subTest(wrong=wrong):
                self.assertContains(r, words, status_code=422)
        self.client.force_login(self.adam)
        r = self.client.post(self.there, {"destination": "anna@nowhere.example"})
        self.assertContains(r, "is no domain of this account", status_code=422)

    def test_it_is_too_late_once_it_is_copied(self) -> None:
        self.client.post(f"{self.url}launch/", AS_USUAL)
        r = self.client.post(self.there, {"destination": "office"})
        self.assertContains(r, "is being copied to", status_code=422)


class BehalfTests(ReviewTestCase):
    def setUp(self) -> None:
        super().setUp()
        (self.anna,) = add_people(self.campaign, ANNA)
        self.there = f"{self.url}people/{self.anna.pk}/password/"

    def test_a_password_is_kept_for_a_worker(self) -> None:
        r = self.client.post(self.there, {"password": " typed ", "user": "anna.old"})
        self.assertRedirects(r, self.url)
        kept = Submission.objects.get()
        self.assertEqual(kept.state, Submission.State.WAITING)
        self.assertEqual(kept.user, "anna.old")
        self.assertIsNone(kept.agreed_at)
        plain = crypto.unseal(kept.secret, bound_to=kept.secret_place)
        self.assertEqual(plain, " typed ")
        entry = Entry.objects.get(event="campaign.submission_added")
        self.assertEqual(entry.actor, self.adam)

    def test_it_needs_a_password_and_a_user_that_can_be(self) -> None:
        r = self.client.post(self.there, {"password": "", "user": "a b"})
        self.assertContains(r, "Enter the password", status_code=422)
        self.assertContains(r, "neither an address", status_code=422)
        self.assertFalse(Submission.objects.exists())

    def test_nothing_is_taken_when_it_is_over(self) -> None:
        Campaign.objects.update(closed_at=timezone.now())
        r = self.client.post(self.there, {"password": "typed"})
        self.assertContains(r, "This campaign is over.", status_code=422)

    def test_the_password_is_not_shown_again(self) -> None:
        r = self.client.post(self.there, {"password": "typed-secret", "user": "a b"})
        self.assertNotContains(r, "typed-secret", status_code=422)
