from __future__ import annotations

import time
from unittest import mock
from urllib.parse import urlsplit

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path
from django.views.decorators.http import require_POST

from purelymanage import urls
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.accounts.security.proof import fresh_proof_required
from purelymanage.audit.models import Entry
from tests.cast import HTMX, PASSWORD, CastTestCase
from tests.proof import prove

ASKS = "/accounts/reauthenticate/"
done: list[str] = []


@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def open_door(request: AuthenticatedHttpRequest) -> HttpResponse:
    if request.method == "POST":
        done.append(request.POST["door"])
    return HttpResponse("the form")


urlpatterns = [
    path("door/", open_door, name="door"),
    path("shut/", require_POST(open_door), name="shut"),
    path("", include(urls)),
]


@override_settings(ROOT_URLCONF=__name__)
class ProofTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()
        done.clear()
        self.client.force_login(self.olga)

    def prove_by_password(self, password: str = PASSWORD) -> str:
        r = self.client.post(ASKS, {"password": password})
        return r.get("Location", "")

    def said(self) -> list[str]:
        r = self.client.get("/settings/sessions/")
        return [str(message) for message in get_messages(r.wsgi_request)]

    def test_a_fresh_proof_opens_it(self) -> None:
        prove(self.client, ago=590)
        self.assertContains(self.client.get("/door/"), "the form")
        self.client.post("/door/", {"door": "front"})
        self.assertEqual(done, ["front"])

    def test_an_old_proof_does_not(self) -> None:
        prove(self.client, ago=610)
        r = self.client.get("/door/?which=front")
        self.assertRedirects(r, ASKS)
        self.assertEqual(self.prove_by_password(), "/door/?which=front")
        self.assertContains(self.client.get("/door/"), "the form")

    def test_one_from_the_future_counts_for_nothing(self) -> None:
        prove(self.client, ago=-3600)
        self.assertRedirects(self.client.get("/door/"), ASKS)
        # Neither does it when the clock has come to it.
        in_an_hour = time.time() + 3600
        with mock.patch("time.time", return_value=in_an_hour):
            self.assertRedirects(self.client.get("/door/"), ASKS)

    def test_it_opens_no_second_factor_either(self) -> None:
        prove(self.client, ago=-3600, reauthenticated=True)
        r = self.client.get("/accounts/2fa/app/add/")
        self.assertEqual(urlsplit(r["Location"]).path, ASKS)

    def test_clocks_that_differ_by_a_moment_disturb_nobody(self) -> None:
        prove(self.client, ago=-2)
        self.assertContains(self.client.get("/door/"), "the form")

    def test_signing_in_is_a_proof(self) -> None:
        self.client.logout()
        form = {"login": "olga@example.org", "password": PASSWORD}
        self.client.post("/accounts/login/", form)
        self.assertContains(self.client.get("/door/"), "the form")

    def test_a_wrong_password_is_none(self) -> None:
        self.client.get("/door/")
        self.assertEqual(self.prove_by_password("wrong-password"), "")
        self.assertRedirects(self.client.get("/door/"), ASKS)
        entry = Entry.objects.get(event="person.proof_failed")
        self.assertEqual(entry.actor_id, self.olga.pk)
        self.assertEqual(entry.sentence, "gave a wrong password as proof")
        self.assertFalse(Entry.objects.filter(event="person.sign_in_failed").exists())

    @pytest.mark.slow
    def test_guessing_is_stopped(self) -> None:
        for _ in range(10):
            self.client.post(ASKS, {"password": "wrong-password"})
        self.assertEqual(self.prove_by_password(), "")
        self.assertRedirects(self.client.get("/door/"), ASKS)

    def test_a_form_that_was_sent_is_not_lost_in_silence(self) -> None:
        headers = {"Referer": "http://testserver/door/?which=back"}
        r = self.client.post("/shut/", {"door": "back"}, headers=headers)
        self.assertRedirects(r, ASKS)
        self.assertEqual(self.prove_by_password(), "/door/?which=back")
        self.assertIn("Nothing was changed yet. Send the form once more.", self.said())
        self.assertEqual(done, [])

    def test_it_leads_to_no_other_site(self) -> None:
        for referer in (
            "https://evil.example/door/",
            "http://testserver//evil.example/door/",
            "http://testserver/\\evil.example/door/",
            "javascript:alert(1)",
            "",
        ):
            headers = {"Referer": referer}
            self.client.post("/door/", {"door": "back"}, headers=headers)
            with self.subTest(referer=referer):
                state = self.client.session["account_reauthentication_state"]
                self.assertEqual(state["state"]["path"], "/")

    def test_htmx_sends_the_whole_page_there(self) -> None:
        headers = HTMX | {"HX-Current-URL": "http://testserver/settings/?page=2"}
        r = self.client.get("/door/", headers=headers)
        self.assertEqual(r["HX-Redirect"], ASKS)
        self.assertEqual(self.prove_by_password(), "/settings/?page=2")

    def test_rights_come_first(self) -> None:
        self.client.force_login(self.adam)
        self.assertEqual(self.client.get("/door/").status_code, 403)

    def test_the_proof_of_another_person_does_not_count(self) -> None:
        prove(self.client)
        session = self.client.session
        session["account_authentication_methods_user"] = str(self.adam.pk)
        session.save()
        self.assertRedirects(self.client.get("/door/"), ASKS)
