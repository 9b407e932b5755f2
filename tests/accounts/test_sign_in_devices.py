from __future__ import annotations

import re
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import signing
from django.core.cache import cache
from django.test import Client, override_settings

from purelymanage.accounts.security.known_devices import COOKIE, SALT
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import Entry, OutgoingMail
from tests.cast import PASSWORD, CastTestCase

URL = "/accounts/login/"
MAIL = "purelymanage.accounts.security.operations.queue_mail"


class NewDeviceTests(CastTestCase):
    def setUp(self) -> None:
        self.sent = self.enterContext(mock.patch(MAIL, side_effect=queue_mail))

    def sign_in(self, client: Client, email: str = "olga@example.org") -> Any:
        cache.clear()
        client.post("/accounts/logout/")
        form = {"login": email, "password": PASSWORD}
        return client.post(URL, form, REMOTE_ADDR="192.0.2.9")

    def mails(self) -> list[str]:
        return [call.kwargs["to"] for call in self.sent.call_args_list]

    def test_a_new_device_sends_a_mail(self) -> None:
        self.client = Client(headers={"User-Agent": "Firefox/133.0 (Windows)"})
        self.sign_in(self.client)
        self.assertEqual(self.mails(), ["olga@example.org"])
        text = self.sent.call_args.kwargs["text"]
        for words in ("Firefox on Windows", "192.0.2.9", "/settings/sessions/"):
            self.assertIn(words, text)
        self.assertEqual(OutgoingMail.objects.count(), 1)
        entry = Entry.objects.get(event="person.new_device")
        self.assertEqual(entry.details, {"device": "Firefox on Windows"})

    def test_the_same_device_does_not_send_another(self) -> None:
        self.sign_in(self.client)
        self.sign_in(self.client)
        self.assertEqual(len(self.mails()), 1)

    def test_it_is_known_for_each_person(self) -> None:
        self.sign_in(self.client)
        self.sign_in(self.client, "adam@example.org")
        self.assertEqual(self.mails(), ["olga@example.org", "adam@example.org"])
        device = self.client.cookies[COOKIE].value
        self.assertEqual(signing.loads(device, salt=SALT), [self.olga.pk, self.adam.pk])

    def test_a_forged_cookie_is_worth_nothing(self) -> None:
        self.client.cookies[COOKIE] = signing.dumps([self.olga.pk], salt="other")
        self.sign_in(self.client)
        self.assertEqual(len(self.mails()), 1)

    def test_a_failed_sign_in_tells_nobody(self) -> None:
        cache.clear()
        r = self.client.post(URL, {"login": "olga@example.org", "password": "wrong"})
        self.assertNotIn(COOKIE, r.cookies)
        self.assertEqual(self.mails(), [])

    def test_the_cookie_is_for_the_server_alone(self) -> None:
        cookie = self.sign_in(self.client).cookies[COOKIE]
        self.assertTrue(cookie["httponly"])
        self.assertEqual(cookie["samesite"], "Lax")
        self.assertEqual(bool(cookie["secure"]), settings.SESSION_COOKIE_SECURE)


class SameTimeTests(CastTestCase):
    """Time is not measured: the hasher, which takes nearly all of it, is counted."""

    def hashes(self, email: str, password: str) -> int:
        cache.clear()
        with mock.patch.object(
            MD5PasswordHasher,
            "encode",
            autospec=True,
            side_effect=MD5PasswordHasher.encode,
        ) as encode:
            r = self.client.post(URL, {"login": email, "password": password})
        self.assertContains(r, "do not belong together")
        return encode.call_count

    def test_unknown_people_take_as_long_as_known_ones(self) -> None:
        self.assertEqual(self.hashes("olga@example.org", "wrong-password"), 1)
        self.assertEqual(self.hashes("nobody@example.org", "wrong-password"), 1)

    def test_so_do_those_who_are_switched_off_or_have_no_password(self) -> None:
        self.adam.is_active = False
        self.adam.save(update_fields=["is_active"])
        self.hedy.set_unusable_password()
        self.hedy.save(update_fields=["password"])
        self.assertEqual(self.hashes("adam@example.org", "wrong-password"), 1)
        self.assertEqual(self.hashes("hedy@example.org", "wrong-password"), 1)

    def test_the_answers_are_the_same_to_the_letter(self) -> None:
        pages = []
        for email in ("olga@example.org", "nobody@example.org"):
            cache.clear()
            r = self.client.post(URL, {"login": email, "password": "wrong-password"})
            token = r.context["csrf_token"]
            page = r.content.decode().replace(email, "").replace(str(token), "")
            pages.append(re.sub(r'nonce="[^"]+"', "", page))
        self.assertEqual(*pages)


class LimitTests(CastTestCase):
    def try_to(self, email: str, *, address: str) -> Any:
        form = {"login": email, "password": "wrong-password"}
        return self.client.post(URL, form, REMOTE_ADDR=address)

    def setUp(self) -> None:
        cache.clear()

    def test_an_account_is_limited_from_many_addresses(self) -> None:
        for last in range(5):
            self.try_to("olga@example.org", address=f"192.0.2.{last}")
        r = self.try_to("olga@example.org", address="192.0.2.99")
        self.assertContains(r, "Too many failed")

    def test_so_is_an_account_that_does_not_exist(self) -> None:
        for last in range(5):
            self.try_to("nobody@example.org", address=f"192.0.2.{last}")
        r = self.try_to("nobody@example.org", address="192.0.2.99")
        self.assertContains(r, "Too many failed")

    def test_an_address_is_limited_over_many_accounts(self) -> None:
        for number in range(10):
            self.try_to(f"person{number}@example.org", address="192.0.2.1")
        r = self.try_to("olga@example.org", address="192.0.2.1")
        self.assertContains(r, "Too many failed")

    @pytest.mark.slow
    @override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=0)
    def test_a_header_does_not_change_the_address(self) -> None:
        for number in range(10):
            self.client.post(
                URL,
                {"login": f"person{number}@example.org", "password": "wrong"},
                headers={"X-Forwarded-For": f"192.0.2.{number}"},
            )
        r = self.client.post(URL, {"login": "a@example.org", "password": "wrong"})
        self.assertContains(r, "Too many failed")
