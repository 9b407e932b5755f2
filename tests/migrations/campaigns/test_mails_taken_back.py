"""Mails that wait for a mail server when nobody wants them any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from purelymanage.audit.mail import queue_mail
from purelymanage.audit.mail import send_due as send_mail
from purelymanage.audit.models import OutgoingMail
from purelymanage.migrations.campaigns import outcomes
from purelymanage.migrations.campaigns.outcomes import Outcome
from purelymanage.migrations.campaigns.tasks import purge
from purelymanage.migrations.models import Campaign, Participant
from purelymanage.migrations.operations import invitations
from tests.account import add_campaign
from tests.migrations.campaigns.people import hand_over
from tests.migrations.campaigns.test_invitations import InvitationCase
from tests.migrations.campaigns.test_people import SURE


class TakenBackTests(InvitationCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()

    def queue(self, kind: str = "invitation") -> None:
        self.client.post(f"{self.url}mails/{kind}/send/")
        invitations.send_due()

    def waiting(self) -> list[str]:
        found = OutgoingMail.objects.waiting().order_by("recipient")
        return [it.recipient for it in found]

    def remove(self, person: Participant) -> None:
        self.client.post(f"{self.url}people/{person.pk}/remove/", SURE)

    def tell(self, person: Participant) -> None:
        [submission] = hand_over([person])
        self.assertTrue(outcomes.tell(submission, Outcome.RIGHT))

    def test_who_was_taken_out_gets_nothing(self) -> None:
        self.queue()
        self.tell(self.anna)
        self.remove(self.anna)
        self.assertEqual(self.waiting(), ["ben@old.example"])
        send_mail()
        self.assertEqual([it.to for it in mail.outbox], [["ben@old.example"]])

    @pytest.mark.slow
    def test_closing_ends_all_mail(self) -> None:
        self.queue()
        self.a_day_later()
        self.queue("reminder")
        self.tell(self.anna)
        self.assertEqual(len(self.waiting()), 5)
        self.client.post(f"{self.url}close/")
        self.assertEqual(self.waiting(), [])

    def test_what_others_write_to_the_same_people_goes(self) -> None:
        other = add_campaign(self.server, name="Another", rows=0)
        theirs = queue_mail(to="anna@old.example", subject="Yours", text="x")
        other.participants.create(
            address="anna@old.example", invited_at=timezone.now(), mail=theirs
        )
        queue_mail(to="ben@old.example", subject="Something else", text="x")
        self.queue()
        self.client.post(f"{self.url}close/")
        self.assertEqual(self.waiting(), ["anna@old.example", "ben@old.example"])
        Campaign.objects.filter(pk=self.campaign.pk).update(
            closed_at=timezone.now() - Campaign.KEPT
        )
        purge()
        self.assertEqual(self.waiting(), ["anna@old.example", "ben@old.example"])

    def test_what_did_not_go_out_is_not_called_sent(self) -> None:
        self.queue()
        OutgoingMail.objects.filter(recipient="ben@old.example").update(
            state=OutgoingMail.State.SENT, sealed="", settled_at=timezone.now()
        )
        self.client.post(f"{self.url}close/")
        r = self.client.get(self.url)
        self.assertContains(r, "Not invited <b>1</b>")
        self.assertContains(r, "Invited <b>1</b>")

    def test_the_mail_before_the_one_taken_back_counts(self) -> None:
        self.send()
        self.a_day_later()
        self.queue("reminder")
        self.client.post(f"{self.url}close/")
        for person in Participant.objects.all():
            self.assertIsNotNone(person.invited_at)
            self.assertIsNone(person.reminded_at)

    def test_an_invitation_sent_before_another_still_counts(self) -> None:
        self.send()
        self.a_day_later()
        self.client.post(f"{self.url}people/{self.ben.pk}/invite/")
        invitations.send_due()
        self.assertEqual(self.waiting(), ["ben@old.example"])
        self.client.post(f"{self.url}close/")
        self.ben.refresh_from_db()
        assert self.ben.invited_at is not None
        self.assertLess(self.ben.invited_at, timezone.now() - timedelta(hours=23))

    def test_the_purge_leaves_no_address(self) -> None:
        self.send()
        self.tell(self.anna)
        late = timezone.now() - Campaign.KEPT
        Campaign.objects.update(ends_at=late)
        queue_mail(to=self.adam.email, subject="Another", text="x")
        self.assertEqual(purge(), "1 campaigns erased")
        left = OutgoingMail.objects.values_list("recipient", flat=True)
        self.assertEqual(list(left), [self.adam.email])
