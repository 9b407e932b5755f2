from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache

from purelymanage.audit.models import Entry
from tests.cast import PASSWORD, CastTestCase
from tests.passkeys import Passkey
from tests.proof import prove

ADD = "/accounts/2fa/passkeys/add/"
AGAIN = "/accounts/2fa/passkeys/reauthenticate/"
STAGE = "/accounts/2fa/authenticate/"
LOGIN = "/accounts/2fa/passkeys/login/"


class PasskeyTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()
        self.passkey = Passkey()
        self.client.force_login(self.olga)
        prove(self.client)
        options = self.client.get(ADD).context["js_data"]["creation_options"]
        credential = self.passkey.create(options)
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(
                ADD, {"name": "Laptop", "credential": json.dumps(credential)}
            )

    def options(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(path).context["js_data"]
        return answer["request_options"]  # type: ignore[no-any-return]

    def answer(self, path: str, passkey: Passkey) -> None:
        credential = passkey.get(self.options(path))
        self.client.post(path, {"credential": json.dumps(credential)})

    def start(self) -> None:
        """Sign in as far as the password reaches."""
        self.client.logout()
        form = {"login": self.olga.email, "password": PASSWORD}
        self.client.post("/accounts/login/", form)

    def login_options(self) -> dict[str, Any]:
        r = self.client.get(LOGIN, headers={"Accept": "application/json"})
        found: dict[str, Any] = r.json()["request_options"]
        return found

    def is_in(self) -> bool:
        return "_auth_user_id" in self.client.session

    def test_it_is_added_with_its_name(self) -> None:
        self.assertContains(self.client.get("/accounts/2fa/passkeys/"), "Laptop")
        entries = Entry.objects.filter(event="person.second_factor_added")
        sentences = [entry.sentence for entry in entries]
        self.assertIn("gave olga@example.org a second factor: a passkey", sentences)

    def test_it_is_the_second_factor(self) -> None:
        self.start()
        self.assertFalse(self.is_in())
        self.answer(STAGE, self.passkey)
        self.assertTrue(self.is_in())

    def test_another_one_is_refused_and_remembered(self) -> None:
        stolen = Passkey()
        stolen.id = self.passkey.id
        self.start()
        self.answer(STAGE, stolen)
        self.assertFalse(self.is_in())
        entry = Entry.objects.get(event="person.second_factor_failed")
        self.assertEqual(entry.target, "olga@example.org")

    @pytest.mark.slow
    def test_an_answer_does_not_work_twice(self) -> None:
        self.start()
        credential = json.dumps(self.passkey.get(self.options(STAGE)))
        self.client.post(STAGE, {"credential": credential})
        self.start()
        self.options(STAGE)
        self.client.post(STAGE, {"credential": credential})
        self.assertFalse(self.is_in())

    @pytest.mark.slow
    def test_nonsense_is_refused(self) -> None:
        self.start()
        for text in ("", "{}", "[]", '{"id": 1}', "null", '"text"'):
            self.options(STAGE)
            cache.clear()
            r = self.client.post(STAGE, {"credential": text})
            with self.subTest(text=text):
                self.assertEqual(r.status_code, 200)
                self.assertFalse(self.is_in())

    @pytest.mark.slow
    def test_it_proves_who_one_is(self) -> None:
        prove(self.client, ago=700)
        self.assertEqual(self.client.get(ADD).status_code, 302)
        self.answer(AGAIN, self.passkey)
        self.assertEqual(self.client.get(ADD).status_code, 200)

    def test_it_opens_the_panel_alone(self) -> None:
        self.client.logout()
        credential = self.passkey.get(self.login_options())
        form = {"credential": json.dumps(credential), "next": "/mailboxes/"}
        r = self.client.post(LOGIN, form)
        self.assertEqual(r["Location"], "/mailboxes/")
        self.assertTrue(self.is_in())

    def test_a_strange_one_opens_nothing(self) -> None:
        self.client.logout()
        stranger = Passkey()
        stranger.person = self.passkey.person
        credential = stranger.get(self.login_options())
        self.client.post(LOGIN, {"credential": json.dumps(credential)})
        self.assertFalse(self.is_in())
        entry = Entry.objects.get(event="person.second_factor_failed")
        self.assertEqual(entry.actor_name, "a stranger")

    def test_somebody_switched_off_stays_outside(self) -> None:
        self.client.logout()
        self.olga.is_active = False
        self.olga.save(update_fields=["is_active"])
        credential = self.passkey.get(self.login_options())
        self.client.post(LOGIN, {"credential": json.dumps(credential)})
        self.assertFalse(self.is_in())

    def test_it_is_renamed_and_removed(self) -> None:
        pk = Authenticator.objects.get(type="webauthn").pk
        self.client.post(f"/accounts/2fa/passkeys/{pk}/rename/", {"name": "Desk"})
        self.assertContains(self.client.get("/accounts/2fa/passkeys/"), "Desk")
        self.client.post(f"/accounts/2fa/passkeys/{pk}/remove/")
        self.assertFalse(Authenticator.objects.exists())

    def test_others_do_not_find_it(self) -> None:
        pk = Authenticator.objects.get(type="webauthn").pk
        self.client.force_login(self.adam)
        prove(self.client)
        r = self.client.post(f"/accounts/2fa/passkeys/{pk}/remove/")
        self.assertEqual(r.status_code, 404)
