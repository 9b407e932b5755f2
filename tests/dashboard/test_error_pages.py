from __future__ import annotations

import pytest
from django.test import Client, RequestFactory, override_settings
from django.views.defaults import bad_request

from purelymanage.dashboard import outage
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
            r = outage.broken(request)
        self.assertContains(r, "Something in the panel broke", status_code=500)
        self.assertContains(r, "</svg> PurelyManage</p>", status_code=500)

    def test_people_can_quote_what_the_log_calls_it(self) -> None:
        r = self.client.get("/nowhere/")
        self.assertContains(r, f"quote <code>{r['X-Request-ID']}<", status_code=404)

    def test_odd_requests_are_answered(self) -> None:
        r = bad_request(RequestFactory().get("/"), ValueError())
        self.assertContains(r, "asked for something odd", status_code=400)

    def test_strangers_are_led_to_the_sign_in_page(self) -> None:
        r = self.client.get("/nowhere/")
        self.assertContains(r, 'href="/accounts/login/"', status_code=404)
        self.assertNotContains(r, "dashboard", status_code=404)

    def test_owners_whose_link_lost_a_part_are_told_in_their_language(self) -> None:
        for language, words in (("en", "does not work"), ("de-AT,en", "nicht")):
            wish = {"Accept-Language": language}
            for path in ("/gather/", "/gather/a/b/"):
                r = self.client.get(path, headers=wish)
                self.assertContains(r, words, status_code=404)
                self.assertNotContains(r, "PurelyManage", status_code=404)

    @override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100)
    def test_what_is_too_large_is_told_as_such(self) -> None:
        self.client.force_login(self.olga)
        r = self.client.post("/settings/", {"name": "a" * 200})
        self.assertContains(r, "too much at once", status_code=413)
        self.assertContains(r, 'aria-label="Main"', status_code=413)


class WrongMethodTests(CastTestCase):
    url = "/migrations/queue/pause/"

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def test_opening_what_takes_a_form_leads_back_to_its_page(self) -> None:
        r = self.client.get(self.url)
        self.assertContains(r, "Nothing was done", status_code=405)
        self.assertContains(r, 'href="/migrations/queue/"', status_code=405)
        self.assertEqual(r["Allow"], "POST")

    def test_what_is_above_may_not_be_the_next_part(self) -> None:
        r = self.client.get("/settings/invitations/1/resend/")
        self.assertContains(r, 'class="button" href="/settings/"', status_code=405)

    def test_programs_get_no_page(self) -> None:
        for r in (
            self.client.get(self.url, headers=HTMX),
            self.client.put(self.url),
            self.client.post("/healthz"),
        ):
            self.assertEqual(r.status_code, 405)
            self.assertEqual(r.content, b"")


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
