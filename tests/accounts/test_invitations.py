from __future__ import annotations

import re
from datetime import timedelta

from django.core import mail
from django.utils import timezone

from purelymanage.accounts.models import Invitation, User
from purelymanage.accounts.operations import invitations
from purelymanage.accounts.permissions import Role
from purelymanage.audit.events import Event
from purelymanage.audit.mail import send_due
from purelymanage.audit.models import Entry, OutgoingMail
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from tests.cast import PASSWORD, CastTestCase
from tests.proof import prove

STRONG = "slow-otters-paint-bridges"
LIST = "/settings/people/"


class InvitationTestCase(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Domain.objects.create(name="shop.example")

    def setUp(self) -> None:
        self.client.force_login(self.olga)
        prove(self.client)
        self.stranger = self.client_class()

    def invite(self, email: str = "nina@example.org") -> Invitation:
        return invitations.invite_person(
            email=email,
            role=Role.HELPDESK,
            domain_scope=["shop.example"],
            actor=self.olga,
        )

    def link(self) -> str:
        """Send what waits and return the path of the link in the newest mail."""
        send_due()
        found = re.search(r"/accounts/invitation/\S+", str(mail.outbox[-1].body))
        assert found
        return found[0]


class InvitePersonTests(InvitationTestCase):
    def test_it_sends_a_link(self) -> None:
        form = {
            "email": "Nina@Example.org",
            "role": "helpdesk",
            "scope": "some",
            "domains": ["shop.example"],
        }
        r = self.client.post(f"{LIST}invite/", form)
        self.assertRedirects(r, LIST)
        invitation = Invitation.objects.get()
        self.assertEqual(invitation.email, "nina@example.org")
        self.assertEqual(invitation.domain_scope, ["shop.example"])
        self.assertEqual(OutgoingMail.objects.get().recipient, "nina@example.org")
        self.assertEqual(self.stranger.get(self.link()).status_code, 200)
        entry = Entry.objects.get(event=Event.PERSON_INVITED)
        self.assertEqual(entry.sentence, "invited nina@example.org as Helpdesk")

    def test_the_token_is_nowhere_once_the_mail_is_sent(self) -> None:
        invitation = self.invite()
        token = self.link().split("/")[3]
        self.assertGreaterEqual(len(token), 43)  # 32 bytes
        self.assertNotIn(token, str(vars(Invitation.objects.get(pk=invitation.pk))))
        self.assertNotIn(token, str(OutgoingMail.objects.values()))
        self.assertNotIn(token, str(Entry.objects.values()))

    def test_a_waiting_mail_is_sealed(self) -> None:
        self.invite()
        self.assertNotIn("/accounts/invitation/", str(OutgoingMail.objects.values()))

    def test_whoever_is_here_is_not_invited(self) -> None:
        User.objects.filter(pk=self.hedy.pk).update(is_active=False)
        for email, why in (
            ("adam@example.org", "has access already"),
            ("hedy@example.org", "was here before"),
        ):
            form = {"email": email, "role": "admin", "scope": "all"}
            r = self.client.post(f"{LIST}invite/", form)
            self.assertContains(r, why, status_code=422)
        self.assertFalse(Invitation.objects.exists())

    def test_nobody_is_invited_twice(self) -> None:
        self.invite()
        form = {"email": "NINA@example.org", "role": "admin", "scope": "all"}
        r = self.client.post(f"{LIST}invite/", form)
        self.assertContains(r, "is invited already", status_code=422)

    def test_only_owners_invite(self) -> None:
        with self.assertRaisesMessage(Refused, "any more"):
            invitations.invite_person(
                email="x@example.org",
                role=Role.OWNER,
                domain_scope=None,
                actor=self.adam,
            )


class ChangeInvitationTests(InvitationTestCase):
    def test_sending_again_kills_the_old_link(self) -> None:
        invitation = self.invite()
        old = self.link()
        long_ago = timezone.now() - timedelta(days=30)
        Invitation.objects.update(expires_at=long_ago)
        r = self.client.post(f"/settings/invitations/{invitation.pk}/resend/")
        self.assertRedirects(r, LIST)
        new = self.link()
        self.assertNotEqual(old, new)
        self.assertContains(self.stranger.get(old), "newest mail", status_code=410)
        self.assertEqual(self.stranger.get(new).status_code, 200)
        self.assertTrue(Entry.objects.filter(event=Event.INVITATION_RESENT).exists())

    def test_withdrawing_kills_the_link(self) -> None:
        invitation = self.invite()
        link = self.link()
        self.client.post(f"/settings/invitations/{invitation.pk}/withdraw/")
        r = self.stranger.post(link, {"name": "Nina", "password": STRONG})
        self.assertContains(r, "was withdrawn", status_code=410)
        self.assertFalse(User.objects.filter(email="nina@example.org").exists())

    def test_a_withdrawn_one_is_neither_sent_nor_withdrawn_again(self) -> None:
        invitation = self.invite()
        invitations.withdraw_invitation(invitation=invitation, actor=self.olga)
        for change in ("resend", "withdraw"):
            url = f"/settings/invitations/{invitation.pk}/{change}/"
            self.assertContains(self.client.post(url, follow=True), "cannot be used")

    def test_whoever_was_withdrawn_can_be_invited_again(self) -> None:
        invitations.withdraw_invitation(invitation=self.invite(), actor=self.olga)
        self.invite()
        self.assertEqual(Invitation.objects.pending().count(), 1)


class AcceptInvitationTests(InvitationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.invite()
        self.url = self.link()
        self.form = {"name": "Nina", "password": STRONG}

    def test_it_makes_the_person_and_signs_them_in(self) -> None:
        r = self.stranger.post(self.url, self.form)
        self.assertRedirects(r, "/")
        nina = User.objects.get(email="nina@example.org")
        self.assertEqual(nina.name, "Nina")
        self.assertEqual(nina.role, Role.HELPDESK)
        self.assertEqual(nina.domain_scope, ["shop.example"])
        self.assertTrue(nina.check_password(STRONG))
        entry = Entry.objects.get(event=Event.INVITATION_ACCEPTED)
        self.assertEqual(entry.actor, nina)
        # Choosing a password is as good as having typed it.
        self.assertEqual(self.stranger.get("/settings/sessions/").status_code, 200)

    def test_it_works_once(self) -> None:
        self.stranger.post(self.url, self.form)
        other = self.client_class()
        for r in (other.get(self.url), other.post(self.url, self.form)):
            self.assertContains(r, "was used already", status_code=410)

    def test_looking_does_not_use_it_up(self) -> None:
        for _ in range(3):
            r = self.stranger.get(self.url)
            self.assertContains(r, "nina@example.org")
        self.assertIn("no-store", r["Cache-Control"])

    def test_it_works_for_seven_days(self) -> None:
        invitation = Invitation.objects.get()
        self.assertEqual(invitation.expires_at - invitation.sent_at, timedelta(days=7))
        Invitation.objects.update(expires_at=timezone.now())
        r = self.stranger.post(self.url, self.form)
        self.assertContains(r, "too old", status_code=410)

    def test_weak_passwords_are_explained(self) -> None:
        weak = {"short": "too short", "qwertyuiop12345": "easy to guess"}
        for password, why in weak.items():
            r = self.stranger.post(self.url, {"name": "Nina", "password": password})
            self.assertContains(r, why, status_code=422)
        self.assertTrue(Invitation.objects.pending().exists())

    def test_a_name_is_needed(self) -> None:
        r = self.stranger.post(self.url, {"name": " ", "password": STRONG})
        self.assertContains(r, "Enter the password once more", status_code=422)
        self.assertEqual(r.status_code, 422)

    def test_links_nobody_sent_lead_nowhere(self) -> None:
        r = self.stranger.get("/accounts/invitation/made-up/")
        self.assertContains(r, "does not work", status_code=410)

    def test_somebody_signed_in_keeps_their_place(self) -> None:
        r = self.client.post(self.url, self.form)
        self.assertContains(r, "signed in as olga@example.org")
        self.assertTrue(Invitation.objects.pending().exists())
        # The page offers to sign out, which leads back.
        r = self.client.post("/accounts/logout/", {"next": self.url}, follow=True)
        self.assertContains(r, "Welcome")

    def test_who_became_a_person_meanwhile_is_not_made_twice(self) -> None:
        User.objects.create_user("nina@example.org", PASSWORD, role=Role.AUDITOR)
        r = self.stranger.post(self.url, self.form)
        self.assertContains(r, "have access already", status_code=410)
        nina = User.objects.get(email="nina@example.org")
        self.assertEqual(nina.role, Role.AUDITOR)

    def test_a_weak_password_is_refused_behind_the_form_as_well(self) -> None:
        token = self.url.split("/")[3]
        with self.assertRaisesMessage(Refused, "easy to guess"):
            invitations.accept_invitation(
                token=token, name="Nina", password="nina@example.org"
            )
        self.assertTrue(Invitation.objects.pending().exists())
