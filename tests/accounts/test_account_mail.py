from __future__ import annotations

import json
import re

import pytest
from django.core.cache import cache

from purelymanage.accounts.models import PersonSession
from purelymanage.audit.models import Entry, OutgoingMail
from purelymanage.crypto import unseal
from tests.accounts.test_second_factor import AppTestCase
from tests.cast import PASSWORD, CastTestCase
from tests.proof import prove

RESET = "/accounts/password/reset/"
NEW = "another-correct-horse-battery"


def texts() -> list[tuple[str, str]]:
    """Return what the queued mails are about, and their texts."""
    return [
        (mail.subject, json.loads(unseal(mail.sealed, bound_to=mail.place))[0])
        for mail in OutgoingMail.objects.order_by("pk")
    ]


class PasswordResetTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()

    def link(self) -> str:
        """Ask for a link, and return where it leads."""
        self.client.post(RESET, {"email": "olga@example.org"})
        found = re.search(r"http://testserver(\S+/reset/key/\S+)", texts()[0][1])
        assert found
        return str(self.client.get(found[1])["Location"])

    def test_the_link_waits_sealed_in_the_queue(self) -> None:
        self.client.post(RESET, {"email": "olga@example.org"})
        mail = OutgoingMail.objects.get()
        self.assertEqual(mail.recipient, "olga@example.org")
        self.assertNotIn("reset/key", str(vars(mail)))
        self.assertEqual(texts()[0][0], "Choose a new password")

    def test_a_new_password_by_link_ends_every_session(self) -> None:
        other = self.client_class()
        other.force_login(self.olga)
        form = {"password1": NEW, "password2": NEW}
        self.client.post(self.link(), form)
        self.olga.refresh_from_db()
        self.assertTrue(self.olga.check_password(NEW))
        self.assertEqual(other.get("/").status_code, 302)
        self.assertFalse(PersonSession.objects.filter(ended_at=None).exists())
        entry = Entry.objects.get(event="person.password_changed")
        self.assertEqual(entry.actor_id, self.olga.pk)

    def test_unknown_people_get_no_mail_and_the_page_is_the_same(self) -> None:
        known = self.client.post(RESET, {"email": "olga@example.org"})
        unknown = self.client.post(RESET, {"email": "nobody@example.org"})
        self.assertEqual(known["Location"], unknown["Location"])
        recipients = OutgoingMail.objects.values_list("recipient", flat=True)
        self.assertEqual(list(recipients), ["olga@example.org"])


class ChangeTests(AppTestCase):
    @pytest.mark.slow
    def test_changes_are_told_by_mail(self) -> None:
        self.set_up()
        subject, text = texts()[-1]
        self.assertEqual(subject, "You have a second factor")
        self.assertIn("An authenticator app was set up", text)
        self.assertIn("Network address: 127.0.0.1", text)

        form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
        self.client.post("/accounts/password/change/", form)
        self.assertEqual(texts()[-1][0], "Your password was changed")

    def test_whoever_loses_it_to_an_owner_hears_of_it(self) -> None:
        self.client.force_login(self.adam)
        prove(self.client)
        self.set_up()
        self.client.force_login(self.olga)
        prove(self.client)
        self.client.post(f"/settings/people/{self.adam.pk}/second-factor/remove/")
        mail = OutgoingMail.objects.latest("pk")
        self.assertEqual(mail.recipient, "adam@example.org")
        self.assertIn("olga@example.org has taken", texts()[-1][1])
