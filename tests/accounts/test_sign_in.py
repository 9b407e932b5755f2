from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import override_settings
from django.urls import reverse

from purelymanage.audit.models import Entry
from tests.cast import HTMX, PASSWORD, CastTestCase

URL = "/accounts/login/"


class SignInTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()
        self.form = {"login": "olga@example.org", "password": PASSWORD}

    def test_the_right_password_opens_the_panel(self) -> None:
        r = self.client.post(URL, self.form)
        self.assertRedirects(r, "/", fetch_redirect_response=False)
        self.assertEqual(self.client.session["_auth_user_id"], str(self.olga.pk))

    def test_capitals_in_the_address_do_not_matter(self) -> None:
        r = self.client.post(URL, self.form | {"login": "Olga@Example.org"})
        self.assertRedirects(r, "/", fetch_redirect_response=False)

    def test_it_remembers_who_signed_in_and_from_where(self) -> None:
        self.client.post(URL, self.form)
        entry = Entry.objects.get(event="person.signed_in")
        self.assertEqual(entry.actor_id, self.olga.pk)
        self.assertEqual(entry.address, "127.0.0.1")

    @override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1)
    def test_a_proxy_tells_from_where_through_a_socket_file(self) -> None:
        # Whatever a client says itself comes before what the proxy adds.
        headers = {"X-Forwarded-For": "198.51.100.1, 192.0.2.7"}
        self.client.post(URL, self.form, headers=headers, REMOTE_ADDR="")
        self.assertEqual(
            Entry.objects.get(event="person.signed_in").address, "192.0.2.7"
        )

    def test_a_wrong_password_and_a_stranger_get_the_same_answer(self) -> None:
        wrong = self.client.post(URL, self.form | {"password": "wrong-password"})
        stranger = self.client.post(
            URL, {"login": "nobody@example.org", "password": "wrong-password"}
        )
        for answer in (wrong, stranger):
            self.assertContains(answer, "do not belong together")
        self.assertNotIn("_auth_user_id", self.client.session)

    def test_it_remembers_a_failure_without_the_password(self) -> None:
        self.client.post(URL, self.form | {"password": "wrong-password"})
        entry = Entry.objects.get(event="person.sign_in_failed")
        self.assertEqual(entry.target, "olga@example.org")
        self.assertNotIn("wrong-password", str(vars(entry)))

    def test_guessing_is_stopped_after_five_tries(self) -> None:
        for _ in range(5):
            self.client.post(URL, self.form | {"password": "wrong-password"})
        r = self.client.post(URL, self.form)
        self.assertContains(r, "Too many failed")
        self.assertNotIn("_auth_user_id", self.client.session)

    def test_guessing_at_one_account_is_noted_once_while_it_is_held_back(self) -> None:
        for _ in range(8):
            self.client.post(URL, self.form | {"password": "wrong-password"})
        entry = Entry.objects.get(event="person.sign_in_held_back")
        self.assertEqual(
            entry.sentence,
            "was held back after too many failed sign-ins as olga@example.org",
        )
        self.assertEqual(entry.address, "127.0.0.1")

    @pytest.mark.slow
    def test_each_account_that_is_held_back_is_noted(self) -> None:
        for email in ("olga@example.org", "adam@example.org"):
            for number in range(7):
                self.client.post(
                    URL,
                    {"login": email, "password": "wrong-password"},
                    REMOTE_ADDR=f"192.0.2.{number}",
                )
        entries = Entry.objects.filter(event="person.sign_in_held_back")
        self.assertEqual(
            sorted(entry.target for entry in entries),
            ["adam@example.org", "olga@example.org"],
        )

    def test_guessing_at_many_accounts_is_noted_once(self) -> None:
        for number in range(14):
            form = {"login": f"p{number}@example.org", "password": "wrong-password"}
            self.client.post(URL, form)
        entry = Entry.objects.get(event="person.sign_in_held_back")
        self.assertEqual(entry.target, "p10@example.org")

    def test_somebody_switched_off_stays_outside(self) -> None:
        self.olga.is_active = False
        self.olga.save(update_fields=["is_active"])
        self.client.post(URL, self.form)
        self.assertNotIn("_auth_user_id", self.client.session)

    def test_nobody_signs_up_by_themselves(self) -> None:
        form = {"email": "new@example.org", "password1": PASSWORD}
        r = self.client.post("/accounts/signup/", form)
        self.assertTemplateUsed(r, "account/signup_closed.html")

    def test_signing_out_wants_a_post(self) -> None:
        self.client.force_login(self.olga)
        self.client.get("/accounts/logout/")
        self.assertIn("_auth_user_id", self.client.session)
        self.client.post("/accounts/logout/")
        self.assertNotIn("_auth_user_id", self.client.session)
        self.assertTrue(Entry.objects.filter(event="person.signed_out").exists())


class SignInRequiredTests(CastTestCase):
    def test_strangers_are_sent_to_the_sign_in_page(self) -> None:
        r = self.client.get("/mailboxes/?q=ada")
        self.assertRedirects(r, f"{URL}?next=/mailboxes/%3Fq%3Dada")

    def test_htmx_sends_the_whole_page_there(self) -> None:
        headers = HTMX | {"HX-Current-URL": "http://testserver/mailboxes/?q=ada"}
        r = self.client.get("/mailboxes/?q=ada&page=2", headers=headers)
        self.assertEqual(r["HX-Redirect"], f"{URL}?next=/mailboxes/%3Fq%3Dada")

    def test_the_sign_in_page_is_open(self) -> None:
        self.assertEqual(self.client.get(reverse("account_login")).status_code, 200)
