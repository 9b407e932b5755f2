from __future__ import annotations

from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from purelymanage.accounts import sessions
from purelymanage.accounts.models import Organisation, PersonSession, User
from purelymanage.audit.models import Agent
from tests.cast import HTMX, PASSWORD, CastTestCase
from tests.proof import prove

URL = "/migrations/servers/find/"


class WhoIsAskingTests(CastTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.olga)
        self.row = PersonSession.objects.get()

    def is_in(self, client: Client | None = None) -> bool:
        return (client or self.client).get(URL).status_code == 200

    def sign_in(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def test_one_look_tells_all_of_it(self) -> None:
        # The fragment alone: a whole page has a side bar with figures of its own.
        with self.assertNumQueries(1):
            self.client.get(URL, headers=HTMX)
        Organisation.objects.create(
            pk=1, second_factor_required_since=timezone.now() - timedelta(days=1)
        )
        with self.assertNumQueries(1):
            self.client.get(URL, headers=HTMX)

    def test_a_session_that_names_another_row_opens_nothing(self) -> None:
        self.sign_in(self.adam)
        session = self.client.session
        session[sessions.MARK] = PersonSession.objects.get(user=self.adam).pk
        session.save()
        self.assertFalse(self.is_in())

    def test_a_row_that_has_ended_opens_nothing(self) -> None:
        PersonSession.objects.update(ended_at=timezone.now())
        self.assertFalse(self.is_in())

    def test_data_that_are_too_old_open_nothing(self) -> None:
        Session.objects.update(expire_date=timezone.now())
        self.assertFalse(self.is_in())

    def test_a_row_without_data_opens_nothing(self) -> None:
        Session.objects.all().delete()
        self.assertFalse(self.is_in())

    def test_a_new_key_keeps_whoever_is_in_and_still_lets_them_be_ended(self) -> None:
        session = self.client.session
        session.cycle_key()
        self.client.cookies["sessionid"] = session.session_key or ""
        self.assertTrue(self.is_in())
        self.row.refresh_from_db()
        self.assertEqual(self.row.session_key, session.session_key)
        sessions.end_session(session=self.row, actor=Agent.OPERATOR)
        self.assertFalse(self.is_in())

    def test_one_who_is_switched_off_is_out_at_once(self) -> None:
        User.objects.filter(pk=self.olga.pk).update(is_active=False)
        self.assertFalse(self.is_in())

    def test_one_whose_password_changed_elsewhere_is_out_at_once(self) -> None:
        self.olga.set_password("another-correct-horse-battery")
        self.olga.save(update_fields=["password"])
        self.assertFalse(self.is_in())

    def test_rights_are_those_of_this_moment(self) -> None:
        self.assertTrue(self.is_in())
        User.objects.filter(pk=self.olga.pk).update(role="helpdesk")
        self.assertEqual(self.client.get(URL).status_code, 403)

    def test_who_lacks_a_second_factor_in_time_is_sent_to_set_it_up(self) -> None:
        old = timezone.now() - timedelta(days=30)
        User.objects.update(joined_at=old)
        Organisation.objects.create(pk=1, second_factor_required_since=old)
        self.assertRedirects(self.client.get(URL), "/accounts/2fa/")
        Authenticator.objects.create(
            user=self.olga, type=Authenticator.Type.RECOVERY_CODES, data={}
        )
        self.assertFalse(self.is_in())
        Authenticator.objects.create(
            user=self.olga, type=Authenticator.Type.TOTP, data={}
        )
        self.assertTrue(self.is_in())

    def test_who_signs_in_as_somebody_else_is_somebody_else(self) -> None:
        self.client.force_login(self.hedy)
        self.assertEqual(self.client.get(URL).status_code, 403)
        prove(self.client)
        self.client.post(
            "/accounts/login/", {"login": self.adam.email, "password": PASSWORD}
        )
        self.client.post("/accounts/logout/")
        self.assertFalse(self.is_in())
