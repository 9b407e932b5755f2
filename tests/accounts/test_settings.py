from __future__ import annotations

from decimal import Decimal

from django.core import mail
from django.test import override_settings

from purelymanage.accounts.models import Organisation, User
from purelymanage.audit.events import Event
from purelymanage.audit.mail import send_due
from purelymanage.audit.models import Entry
from purelymanage.dashboard.models import CreditReading
from tests.cast import HTMX, CastTestCase
from tests.proof import prove

URL = "/settings/organisation/"


class ProfileTests(CastTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.hedy)

    def test_everybody_names_themselves(self) -> None:
        r = self.client.post("/settings/", {"name": "Hedy"})
        self.assertRedirects(r, "/settings/")
        self.hedy.refresh_from_db()
        self.assertEqual(self.hedy.name, "Hedy")
        entry = Entry.objects.get(event=Event.PERSON_CHANGED)
        self.assertEqual(entry.sentence, "changed hedy@example.org: name")
        self.assertEqual(entry.diff, {"name": ["", "Hedy"]})

    def test_the_same_name_is_no_change(self) -> None:
        self.client.post("/settings/", {"name": ""})
        self.assertFalse(Entry.objects.filter(event=Event.PERSON_CHANGED).exists())

    def test_a_name_has_an_end(self) -> None:
        r = self.client.post("/settings/", {"name": "x" * 101})
        self.assertEqual(r.status_code, 422)

    def test_only_owners_are_shown_the_way_to_people(self) -> None:
        self.assertNotContains(self.client.get("/settings/"), "/settings/people/")
        self.client.force_login(self.olga)
        self.assertContains(self.client.get("/settings/"), "/settings/people/")

    def test_the_side_bar_leads_there(self) -> None:
        self.assertContains(self.client.get("/mailboxes/"), 'href="/settings/"')


class OrganisationTests(CastTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.olga)
        prove(self.client)
        self.form = {
            "name": "",
            "grace_hours": "24",
            "credit_attention": "5",
            "credit_critical": "2",
            "checkpoint_address": "",
        }

    def save(self, **changes: str) -> int:
        return self.client.post(URL, self.form | changes).status_code

    def test_without_a_row_the_settings_of_the_server_hold(self) -> None:
        with self.settings(DELETION_GRACE_HOURS=48, CREDIT_ATTENTION=9):
            present = Organisation.objects.present()
        self.assertEqual(present.grace_hours, 48)
        self.assertEqual(present.credit_attention, 9)
        self.assertFalse(Organisation.objects.exists())

    def test_an_owner_decides(self) -> None:
        self.save(
            name="Example Ltd",
            grace_hours="48",
            credit_attention="7.50",
            checkpoint_address="notary@example.net",
        )
        present = Organisation.objects.get()
        self.assertEqual(present.name, "Example Ltd")
        self.assertEqual(present.grace.days, 2)
        self.assertEqual(present.credit_attention, Decimal("7.50"))
        self.assertEqual(present.checkpoint_address, "notary@example.net")
        entry = Entry.objects.get(event=Event.ORGANISATION_CHANGED)
        self.assertEqual(
            entry.sentence,
            "changed the settings: name, grace hours, credit attention, checkpoint "
            "address",
        )
        self.assertEqual(entry.diff["grace hours"], ["24", "48"])

    def test_nothing_changed_is_nothing_recorded(self) -> None:
        self.assertEqual(self.save(), 302)
        self.assertFalse(
            Entry.objects.filter(event=Event.ORGANISATION_CHANGED).exists()
        )

    def test_deletions_wait_for_an_hour_at_least(self) -> None:
        for hours in ("0", "-1", "721", "soon"):
            self.assertEqual(self.save(grace_hours=hours), 422)

    def test_the_alarm_is_not_above_the_warning(self) -> None:
        r = self.client.post(URL, self.form | {"credit_critical": "6"})
        self.assertContains(r, "so it is lower", status_code=422)

    def test_the_second_factor_is_required_from_the_switch_on(self) -> None:
        self.save(second_factor_required="on")
        since = Organisation.objects.get().second_factor_required_since
        self.assertIsNotNone(since)
        self.save(second_factor_required="on", name="Later")
        self.assertEqual(Organisation.objects.get().second_factor_required_since, since)
        self.save()
        self.assertIsNone(Organisation.objects.get().second_factor_required_since)

    def test_a_second_person_is_asked_where_there_are_two(self) -> None:
        self.save(second_person_required="on")
        self.assertTrue(Organisation.objects.get().second_person_required)

    def test_a_second_person_is_not_asked_where_there_is_one(self) -> None:
        # Limited administrators and auditors cannot approve everything.
        User.objects.filter(pk=self.adam.pk).update(is_active=False)
        r = self.client.post(URL, self.form | {"second_person_required": "on"})
        self.assertContains(r, "where there are two owners", status_code=422)
        self.assertFalse(Organisation.objects.exists())

    def test_the_page_says_when_there_are_not_two_any_more(self) -> None:
        self.save(second_person_required="on")
        User.objects.filter(pk=self.adam.pk).update(is_active=False)
        self.assertContains(self.client.get(URL), "Nobody is asked at present")
        self.assertEqual(self.save(second_person_required="on", name="Kept"), 302)

    def test_a_test_mail_comes_to_whoever_asks(self) -> None:
        r = self.client.post(f"{URL}test-mail/", follow=True)
        self.assertContains(r, "on its way to olga@example.org")
        send_due()
        self.assertEqual(mail.outbox[0].to, ["olga@example.org"])
        self.assertTrue(Entry.objects.filter(event=Event.TEST_MAIL_SENT).exists())

    @override_settings(
        EMAIL_BACKEND="django.core.mail.backends.filebased.EmailBackend",
        EMAIL_FILE_PATH="/srv/mail",
    )
    def test_a_test_mail_that_only_reaches_a_folder_is_not_on_its_way(self) -> None:
        r = self.client.post(f"{URL}test-mail/", follow=True)
        self.assertContains(r, "a test mail is written to /srv/mail.")
        self.assertNotContains(r, "on its way")

    def test_others_decide_nothing(self) -> None:
        for user in (self.adam, self.lina, self.hedy, self.audrey):
            self.client.force_login(user)
            self.assertEqual(self.client.get(URL).status_code, 403)
            self.assertEqual(self.client.post(URL, headers=HTMX).status_code, 403)


class CreditTests(CastTestCase):
    def test_the_dashboard_warns_below_what_was_decided(self) -> None:
        CreditReading.objects.create(amount=Decimal("18.42"))
        Organisation.objects.create(pk=1, credit_attention=20, credit_critical=2)
        self.client.force_login(self.olga)
        self.assertContains(self.client.get("/"), "$18.42, below $20.")
