from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.views.defaults import bad_request, server_error

from tests.cast import HTMX, PASSWORD, CastTestCase


class ErrorPageTests(CastTestCase):
    def test_strangers_get_no_side_bar(self) -> None:
        r = self.client.get("/nowhere/")
        self.assertContains(r, "Nothing is here", status_code=404)
        self.assertTemplateNotUsed(r, "base.html")

    def test_people_keep_theirs(self) -> None:
        self.client.force_login(self.hedy)
        r = self.client.get("/nowhere/")
        self.assertContains(r, 'aria-label="Main"', status_code=404)

    def test_a_missing_right_is_named(self) -> None:
        self.client.force_login(self.hedy)
        r = self.client.get("/domains/")
        self.assertContains(r, "not for your role", status_code=403)

    def test_an_old_form_is_explained(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        r = strict.post("/accounts/login/", {"login": "olga@example.org"})
        self.assertContains(r, "This form is too old", status_code=403)

    @pytest.mark.slow
    def test_too_many_attempts_are_explained(self) -> None:
        form = {"login": "olga@example.org", "password": "wrong"}
        for _ in range(40):
            r = self.client.post("/accounts/login/", form)
            if r.status_code == 429:
                break
        self.assertContains(r, "Too many attempts", status_code=429)

    def test_the_page_for_our_own_mistakes_needs_nothing(self) -> None:
        request = RequestFactory().get("/")
        with self.assertNumQueries(0):
            r = server_error(request)
        self.assertContains(r, "Something in the panel broke", status_code=500)

    def test_people_can_quote_what_the_log_calls_it(self) -> None:
        r = self.client.get("/nowhere/")
        self.assertContains(r, f"quote <code>{r['X-Request-ID']}<", status_code=404)

    def test_odd_requests_are_answered(self) -> None:
        r = bad_request(RequestFactory().get("/"), ValueError())
        self.assertContains(r, "asked for something odd", status_code=400)


class SignInPageTests(CastTestCase):
    def test_nothing_leads_to_signing_up(self) -> None:
        r = self.client.get("/accounts/login/")
        self.assertNotContains(r, "signup")
        self.assertContains(self.client.get("/accounts/signup/"), "By invitation")

    def test_a_wrong_password_keeps_the_address(self) -> None:
        form = {"login": "olga@example.org", "password": "wrong"}
        r = self.client.post("/accounts/login/", form)
        self.assertContains(r, 'role="alert"')
        self.assertContains(r, 'value="olga@example.org"')
        self.assertNotContains(r, 'value="wrong"')

    def test_signing_in_leads_back_without_ado(self) -> None:
        form = {"login": "olga@example.org", "password": PASSWORD}
        r = self.client.post("/accounts/login/?next=/audit/", form, follow=True)
        self.assertEqual(r.redirect_chain, [("/audit/", 302)])
        self.assertNotContains(r, 'class="toast"')

    def test_an_expired_session_sends_htmx_to_the_whole_page(self) -> None:
        r = self.client.get("/mailboxes/", headers=HTMX)
        self.assertIn("/accounts/login/", r["HX-Redirect"])
