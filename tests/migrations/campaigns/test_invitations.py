from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.core import mail
from django.utils import timezone

from purelymanage.audit.mail import send_due as send_mail
from purelymanage.audit.models import OutgoingMail
from purelymanage.migrations.models import Campaign, Participant
from purelymanage.migrations.operations import invitations
from tests.migrations.campaigns.people import hand_over
from tests.migrations.campaigns.test_people import PeopleCase

DAY = timedelta(days=1)


class InvitationCase(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.add("anna@old.example,Anna\nben@old.example,\n")
        self.anna, self.ben = Participant.objects.order_by("address")

    def send(self, kind: str = "invitation") -> None:
        self.client.post(f"{self.url}mails/{kind}/send/")
        invitations.send_due()
        send_mail()

    def a_day_later(self) -> None:
        before = timezone.now() - DAY
        Participant.objects.exclude(invited_at=None).update(invited_at=before)
        Participant.objects.exclude(reminded_at=None).update(reminded_at=before)
        OutgoingMail.objects.update(queued_at=before)


class InviteTests(InvitationCase):
    def test_each_gets_a_mail_with_a_link_of_their_own(self) -> None:
        self.send()
        first, second = sorted(mail.outbox, key=lambda it: it.to)
        self.assertEqual(first.to, ["anna@old.example"])
        self.assertIn("Hello Anna,", first.body)
        self.assertIn("Hello ben@old.example,", second.body)
        self.assertIn("help@example.org", first.body)
        self.assertNotIn("{", first.body)
        for message, person in ((first, self.anna), (second, self.ben)):
            found = [it for it in message.body.split() if "/gather/" in it]
            token = found[0].rstrip("/").rpartition("/")[2]
            self.assertEqual(Participant.objects.of_token(token), person)
        self.assertEqual(self.events()[-1], "invited 2 people to Autumn move")

    def test_nobody_is_invited_twice(self) -> None:
        self.send()
        self.send()
        self.assertEqual(len(mail.outbox), 2)
        r = self.client.get(f"{self.url}mails/invitation/")
        self.assertContains(r, "Everybody on the list is invited.")

    def test_the_mail_can_be_looked_at_before(self) -> None:
        r = self.client.get(f"{self.url}mails/invitation/")
        self.assertContains(r, "Hello Anna,")
        self.assertContains(r, "/gather/a-link-of-their-own/")
        self.assertContains(r, "Invite 2 people")
        self.client.force_login(self.audrey)
        r = self.client.get(f"{self.url}mails/invitation/")
        self.assertNotContains(r, "Invite 2 people")
        self.assertEqual(self.client.get(f"{self.url}mails/x/").status_code, 404)

    def test_a_minute_has_room_for_so_many(self) -> None:
        with mock.patch.object(invitations, "MAILS_A_MINUTE", 1):
            self.client.post(f"{self.url}mails/invitation/send/")
            self.assertEqual(invitations.send_due(), 1)
            self.assertEqual(invitations.send_due(), 0, "the minute is full")
            OutgoingMail.objects.update(queued_at=timezone.now() - DAY)
            self.assertEqual(invitations.send_due(), 1)

    def test_names_are_no_placeholders(self) -> None:
        Participant.objects.filter(pk=self.anna.pk).update(name="{contact} {0}")
        self.send()
        self.assertIn("Hello {contact} {0},", mail.outbox[0].body)

    @pytest.mark.slow
    def test_a_mail_that_came_back_is_noted_by_hand(self) -> None:
        there = f"{self.url}people/{self.anna.pk}/came-back/"
        r = self.client.post(there, follow=True)
        self.assertContains(r, "No mail has gone out to this address")
        self.send()
        self.assertContains(self.client.get(self.url), there)
        self.assertContains(self.client.get(there), "refuse it later")
        self.client.post(there, {"note": "user unknown"})
        r = self.client.get(self.url)
        self.assertContains(r, "The last mail did not arrive.")
        self.assertContains(r, "user unknown")
        self.assertNotContains(r, there)
        self.assertIn("came back", self.events()[-1])
        # At once, as nobody has read it.
        Participant.objects.update(invited_at=timezone.now() - 2 * DAY)
        self.assertEqual(
            list(invitations.to_remind(self.campaign, timezone.now())), [self.ben]
        )
        self.client.post(f"{self.url}people/{self.anna.pk}/invite/")
        self.anna.refresh_from_db()
        self.assertEqual(self.anna.mail_due, "invitation")

    def test_a_refused_mail_is_told_at_its_row(self) -> None:
        self.send()
        OutgoingMail.objects.filter(recipient="ben@old.example").update(
            state=OutgoingMail.State.FAILED, last_error="550 No such user here"
        )
        r = self.client.get(self.url)
        self.assertContains(r, "The last mail did not arrive.")
        self.assertContains(r, "550 No such user here")
        self.assertContains(r, "1 mail could not be delivered.")
        # Such a mail may be sent again at once, when the reason is gone.
        self.client.post(f"{self.url}people/{self.ben.pk}/invite/")
        self.assertEqual(invitations.send_due(), 1)

    def test_nobody_gets_two_within_a_day(self) -> None:
        self.send()
        path = f"{self.url}people/{self.ben.pk}/invite/"
        r = self.client.post(path, follow=True)
        self.assertContains(r, "less than a day ago")
        self.a_day_later()
        self.client.post(path)
        self.assertEqual(invitations.send_due(), 1)

    def test_strangers_addresses_get_none(self) -> None:
        eve = self.campaign.participants.create(address="eve@old.example")
        self.send()
        self.assertEqual(len(mail.outbox), 2)
        r = self.client.post(f"{self.url}people/{eve.pk}/invite/", follow=True)
        self.assertContains(r, "Put it on the list first.")

    def test_what_ended_meanwhile_sends_nothing(self) -> None:
        self.client.post(f"{self.url}mails/invitation/send/")
        Campaign.objects.update(ends_at=timezone.now())
        self.assertEqual(invitations.send_due(), 0)
        self.assertFalse(Participant.objects.exclude(mail_due="").exists())

    def test_what_a_server_put_off_is_not_sent_after_the_end(self) -> None:
        self.client.post(f"{self.url}mails/invitation/send/")
        invitations.send_due()
        self.client.post(f"{self.url}close/")
        send_mail()
        self.assertEqual(mail.outbox, [])


class RemindTests(InvitationCase):
    def test_it_goes_to_those_who_have_not_answered(self) -> None:
        self.send()
        hand_over([self.anna])
        self.a_day_later()
        mail.outbox.clear()
        self.send("reminder")
        self.assertEqual([it.to for it in mail.outbox], [["ben@old.example"]])
        self.assertIn("Reminder", mail.outbox[0].subject)
        self.assertEqual(self.events()[-1], "reminded 1 person of Autumn move")

    def test_not_within_a_day_of_the_mail_before(self) -> None:
        self.send()
        self.send("reminder")
        self.assertEqual(len(mail.outbox), 2)
        self.a_day_later()
        self.send("reminder")
        self.send("reminder")
        self.assertEqual(len(mail.outbox), 4)

    def test_not_to_those_who_withdrew_or_cannot_be_reached(self) -> None:
        self.send()
        self.a_day_later()
        OutgoingMail.objects.filter(recipient="ben@old.example").update(
            state=OutgoingMail.State.FAILED
        )
        Participant.objects.filter(pk=self.anna.pk).update(withdrawn_at=timezone.now())
        self.send("reminder")
        self.assertEqual(len(mail.outbox), 2)

    def test_who_answers_before_it_goes_is_left_alone(self) -> None:
        self.send()
        self.a_day_later()
        self.client.post(f"{self.url}mails/reminder/send/")
        hand_over([self.anna, self.ben])
        self.assertEqual(invitations.send_due(), 0)
