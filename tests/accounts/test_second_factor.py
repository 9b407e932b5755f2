from __future__ import annotations

import time
from datetime import timedelta
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import override_settings
from django.utils import timezone

from purelymanage.accounts.models import Organisation, PersonSession, User
from purelymanage.accounts.security import operations
from purelymanage.accounts.security.factors import people_with_second_factor
from purelymanage.accounts.security.sealing import place_of
from purelymanage.audit.models import Entry
from purelymanage.crypto import Unreadable, unseal
from purelymanage.errors import Refused
from tests.cast import HTMX, PASSWORD, CastTestCase
from tests.proof import prove

SET_UP = "/accounts/2fa/app/add/"
LOGIN = "/accounts/login/"
CODE = "/accounts/2fa/authenticate/"
CODES = "/accounts/2fa/recovery-codes/"


# Codes that do not change while a test looks at them.
SLOWLY = override_settings(MFA_TOTP_PERIOD=1_000_000_000)


def code_of(secret: str) -> str:
    """Return what the app of `secret` shows, where the settings say `SLOWLY`."""
    counter = int(time.time()) // 1_000_000_000
    code: str = format_hotp_value(hotp_value(secret, counter))
    return code


@SLOWLY
class AppTestCase(CastTestCase):
    """Knows how to set up an authenticator app, and to sign in with it."""

    def setUp(self) -> None:
        cache.clear()
        self.client.force_login(self.olga)
        prove(self.client)

    def set_up(self) -> str:
        """Set up an app, and return its secret."""
        secret: str = self.client.get(SET_UP).context["form"].secret
        with self.captureOnCommitCallbacks(execute=True):
            r = self.client.post(SET_UP, {"code": code_of(secret)})
        self.assertRedirects(r, CODES, fetch_redirect_response=False)
        cache.clear()
        return secret

    def sign_in(self, user: User) -> None:
        self.client.logout()
        r = self.client.post(LOGIN, {"login": user.email, "password": PASSWORD})
        self.assertRedirects(r, CODE, fetch_redirect_response=False)

    def is_in(self) -> bool:
        return "_auth_user_id" in self.client.session

    def events(self) -> list[str]:
        found = Entry.objects.filter(event__startswith="person.").order_by("pk")
        return list(found.values_list("event", flat=True))


class SetUpTests(AppTestCase):
    def test_it_asks_for_a_proof_first(self) -> None:
        self.client.force_login(self.adam)
        r = self.client.get(SET_UP)
        self.assertRedirects(r, f"/accounts/reauthenticate/?next={SET_UP}")

    def test_the_qr_code_and_the_key_are_shown(self) -> None:
        r = self.client.get(SET_UP)
        self.assertContains(r, 'src="data:image/svg+xml;base64,')
        self.assertContains(r, r.context["form"].secret)
        self.assertIn("no-store", r["Cache-Control"])

    def test_it_is_one_of_the_settings(self) -> None:
        r = self.client.get("/accounts/2fa/")
        self.assertContains(r, 'data-key="s" aria-current="page"')

    @pytest.mark.slow
    def test_a_wrong_code_sets_up_nothing(self) -> None:
        self.client.get(SET_UP)
        r = self.client.post(SET_UP, {"code": "000000"})
        self.assertContains(r, "does not fit")
        self.assertFalse(Authenticator.objects.exists())

    def test_the_secret_is_sealed_and_bound_to_the_person(self) -> None:
        secret = self.set_up()
        sealed = Authenticator.objects.get(type="totp").data["secret"]
        self.assertEqual(unseal(sealed, bound_to=place_of(self.olga.pk)), secret)
        with self.assertRaises(Unreadable):
            unseal(sealed, bound_to=place_of(self.adam.pk))

    def test_the_secret_waits_sealed_as_well(self) -> None:
        secret = self.client.get(SET_UP).context["form"].secret
        stored = Session.objects.get(pk=self.client.session.session_key)
        self.assertNotIn(secret, str(stored.get_decoded()))

    @pytest.mark.slow
    def test_a_second_try_works_with_the_same_secret(self) -> None:
        secret = self.client.get(SET_UP).context["form"].secret
        r = self.client.post(SET_UP, {"code": "000000"})
        self.assertEqual(r.context["form"].secret, secret)
        r = self.client.post(SET_UP, {"code": code_of(secret)})
        self.assertRedirects(r, CODES, fetch_redirect_response=False)

    @pytest.mark.slow
    def test_the_code_of_the_set_up_does_not_open_the_panel_as_well(self) -> None:
        secret = self.client.get(SET_UP).context["form"].secret
        self.client.post(SET_UP, {"code": code_of(secret)})
        self.sign_in(self.olga)
        r = self.client.post(CODE, {"code": code_of(secret)})
        self.assertContains(r, "does not fit")
        self.assertFalse(self.is_in())

    def test_it_is_remembered_in_the_same_transaction(self) -> None:
        self.set_up()
        sentences = {
            entry.sentence
            for entry in Entry.objects.filter(event="person.second_factor_added")
        }
        self.assertIn(
            "gave olga@example.org a second factor: an authenticator app", sentences
        )
        with (
            mock.patch(
                "purelymanage.accounts.signals.log.record", side_effect=RuntimeError
            ),
            self.assertRaises(RuntimeError),
        ):
            self.client.post("/accounts/2fa/app/remove/")
        self.assertTrue(Authenticator.objects.filter(type="totp").exists())

    @pytest.mark.slow
    def test_recovery_codes_are_shown_once(self) -> None:
        self.set_up()
        r = self.client.get(CODES)
        code = r.context["unused_codes"][0]
        self.assertContains(r, code)
        self.assertIn("no-store", r["Cache-Control"])
        # A sheet of paper says whom they let in, and where.
        self.assertContains(r, "lets olga@example.org in once at testserver")
        self.assertNotContains(self.client.get(CODES), code)

    def test_without_it_the_codes_go_as_well(self) -> None:
        self.set_up()
        self.client.post("/accounts/2fa/app/remove/")
        self.assertFalse(Authenticator.objects.exists())
        self.assertEqual(self.events().count("person.second_factor_removed"), 2)

    @pytest.mark.slow
    def test_the_list_knows_who_has_one(self) -> None:
        self.set_up()
        self.assertEqual(list(people_with_second_factor()), [self.olga.pk])


@pytest.mark.slow
class SignInTests(AppTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.secret = self.set_up()
        self.codes = self.client.get(CODES).context["unused_codes"]

    def test_the_password_alone_is_not_enough(self) -> None:
        self.sign_in(self.olga)
        self.assertFalse(self.is_in())
        self.assertEqual(self.client.get("/")["Location"], f"{LOGIN}?next=/")

    def test_the_code_opens_the_panel_once(self) -> None:
        self.sign_in(self.olga)
        code = code_of(self.secret)
        self.client.post(CODE, {"code": code})
        self.assertTrue(self.is_in())
        self.sign_in(self.olga)
        self.client.post(CODE, {"code": code})
        self.assertFalse(self.is_in())

    def test_a_recovery_code_opens_it_once(self) -> None:
        for is_in in (True, False):
            self.sign_in(self.olga)
            self.client.post(CODE, {"code": self.codes[0]})
            self.assertEqual(self.is_in(), is_in)
        self.assertEqual(self.events().count("person.recovery_code_used"), 1)

    def test_a_failure_is_remembered_without_the_code(self) -> None:
        self.sign_in(self.olga)
        self.client.post(CODE, {"code": "123123"})
        entry = Entry.objects.get(event="person.second_factor_failed")
        self.assertEqual(
            entry.sentence,
            "failed to prove to be olga@example.org by a code",
        )
        self.assertNotIn("123123", str(vars(entry)))

    def test_a_wrong_code_as_proof_is_the_persons_own(self) -> None:
        self.client.post("/accounts/2fa/reauthenticate/", {"code": "00000000"})
        entry = Entry.objects.get(event="person.proof_failed")
        self.assertEqual(entry.actor_id, self.olga.pk)
        self.assertEqual(entry.sentence, "gave a wrong code as proof")

    def test_guessing_is_stopped_after_five_tries(self) -> None:
        self.sign_in(self.olga)
        for _ in range(5):
            self.client.post(CODE, {"code": "000000"})
        r = self.client.post(CODE, {"code": code_of(self.secret)})
        self.assertContains(r, "Too many failed")
        self.assertFalse(self.is_in())

    def test_guessing_at_codes_is_noted_once_while_it_is_held_back(self) -> None:
        self.sign_in(self.olga)
        for _ in range(8):
            self.client.post(CODE, {"code": "000000"})
        entry = Entry.objects.get(event="person.sign_in_held_back")
        self.assertEqual(entry.target, "olga@example.org")

    def test_guessing_is_stopped_for_the_account_and_not_the_browser(self) -> None:
        for _ in range(5):
            self.sign_in(self.olga)
            self.client.post(CODE, {"code": "000000"})
        self.sign_in(self.olga)
        self.client.post(CODE, {"code": code_of(self.secret)})
        self.assertFalse(self.is_in())

    def test_a_wrong_password_looks_the_same_with_a_second_factor(self) -> None:
        self.client.logout()
        form = {"login": self.olga.email, "password": "wrong-password"}
        r = self.client.post(LOGIN, form)
        self.assertContains(r, "do not belong together")

    def test_a_code_proves_who_one_is(self) -> None:
        prove(self.client, ago=700)
        self.client.get(SET_UP)
        self.client.post("/accounts/2fa/reauthenticate/", {"code": self.codes[1]})
        r = self.client.get("/accounts/2fa/app/remove/")
        self.assertEqual(r.status_code, 200)


class RequiredTests(AppTestCase):
    def require(self, *, days_ago: float) -> None:
        since = timezone.now() - timedelta(days=days_ago)
        User.objects.update(joined_at=since - timedelta(days=100))
        Organisation.objects.update_or_create(
            pk=1, defaults={"second_factor_required_since": since}
        )

    def test_nothing_is_asked_where_it_is_switched_off(self) -> None:
        self.assertNotContains(self.client.get("/"), "second factor")

    def test_a_banner_tells_the_date_during_the_grace(self) -> None:
        self.require(days_ago=6.9)
        r = self.client.get("/")
        self.assertContains(r, "This panel asks everybody for a second factor.")
        due = Organisation.objects.get().second_factor_required_since
        assert due
        self.assertContains(r, f"{due + timedelta(days=7):%-d %B}")

    def test_nothing_but_the_set_up_page_opens_afterwards(self) -> None:
        self.require(days_ago=7.1)
        for path in ("/", "/mailboxes/", "/settings/sessions/", "/nowhere/"):
            with self.subTest(path=path):
                self.assertRedirects(self.client.get(path), "/accounts/2fa/")
        self.assertRedirects(self.client.post("/mailboxes/new/"), "/accounts/2fa/")
        r = self.client.get("/mailboxes/", headers=HTMX)
        self.assertEqual(r["HX-Redirect"], "/accounts/2fa/")
        r = self.client.get("/accounts/2fa/")
        self.assertNotContains(r, 'class="nav"')
        self.assertContains(r, "Sign out")

    def test_setting_it_up_opens_everything(self) -> None:
        self.require(days_ago=7.1)
        self.set_up()
        self.assertEqual(self.client.get("/").status_code, 200)

    def test_proving_oneself_is_possible(self) -> None:
        self.require(days_ago=7.1)
        prove(self.client, ago=700)
        r = self.client.get(SET_UP)
        self.assertRedirects(r, f"/accounts/reauthenticate/?next={SET_UP}")
        ask = f"/accounts/reauthenticate/?next={SET_UP}"
        self.assertRedirects(self.client.post(ask, {"password": PASSWORD}), SET_UP)

    def test_whoever_joins_later_has_the_same_time(self) -> None:
        self.require(days_ago=100)
        joined = timezone.now() - timedelta(days=6.9)
        User.objects.filter(pk=self.olga.pk).update(joined_at=joined)
        self.assertEqual(self.client.get("/").status_code, 200)

    def test_recovery_codes_alone_are_no_second_factor(self) -> None:
        self.require(days_ago=7.1)
        self.set_up()
        Authenticator.objects.filter(type="totp").delete()
        self.assertRedirects(self.client.get("/"), "/accounts/2fa/")

    def test_it_can_be_switched_off_by_an_owner_who_has_one(self) -> None:
        self.require(days_ago=7.1)
        self.set_up()
        self.assertEqual(self.client.get("/settings/organisation/").status_code, 200)


class RemoveTests(AppTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.set_up()

    @pytest.mark.slow
    def test_an_owner_takes_it_from_somebody_else(self) -> None:
        self.client.force_login(self.adam)
        prove(self.client)
        self.set_up()
        self.client.force_login(self.olga)
        prove(self.client)
        url = f"/settings/people/{self.adam.pk}/second-factor/remove/"
        page = f"/settings/people/{self.adam.pk}/sessions/"
        self.assertRedirects(self.client.post(url), page)
        self.assertEqual(list(people_with_second_factor()), [self.olga.pk])
        self.assertFalse(PersonSession.objects.open().filter(user=self.adam).exists())
        entries = Entry.objects.filter(event="person.second_factor_removed")
        self.assertEqual({entry.actor_id for entry in entries}, {self.olga.pk})
        self.assertEqual({entry.target for entry in entries}, {self.adam.email})

    def test_not_from_oneself(self) -> None:
        with self.assertRaises(Refused):
            operations.remove_second_factors(user=self.olga, actor=self.olga)

    def test_not_where_there_is_none(self) -> None:
        with self.assertRaises(Refused):
            operations.remove_second_factors(user=self.adam, actor=self.olga)

    @pytest.mark.slow
    def test_a_refusal_ends_no_session(self) -> None:
        self.client.force_login(self.adam)
        with self.assertRaises(Refused):
            operations.remove_second_factors(user=self.adam, actor=self.olga)
        self.assertTrue(self.is_in())
        self.assertEqual(self.client.get("/").status_code, 200)
