"""One code, sent by several browsers in the same moment, lets one of them in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest import mock

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.core.cache import cache
from django.db import connection
from django.test import Client, TransactionTestCase

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.accounts.security.sealing import place_of
from purelymanage.audit.models import Entry
from purelymanage.crypto import seal
from tests.accounts.test_second_factor import CODE, LOGIN, SLOWLY, code_of
from tests.cast import PASSWORD

BROWSERS = 4  # fewer than the tries that are free


@SLOWLY
class AtOnceTests(TransactionTestCase):
    def setUp(self) -> None:
        self.olga = User.objects.create_user(
            "olga@example.org", PASSWORD, role=Role.OWNER
        )
        self.place = place_of(self.olga.pk)

    def browser(self) -> Client:
        """Return one in which the password has been given."""
        cache.clear()
        client = Client()
        form = {"login": "olga@example.org", "password": PASSWORD}
        self.assertEqual(client.post(LOGIN, form)["Location"], CODE)
        return client

    def send_at_once(self, code: str) -> int:
        """Send `code` from all browsers and return how many of them were let in."""
        browsers = [self.browser() for _ in range(BROWSERS)]
        cache.clear()
        start = Barrier(BROWSERS)

        def send(client: Client) -> bool:
            try:
                start.wait(20)
                client.post(CODE, {"code": code})
                return "_auth_user_id" in client.session
            finally:
                connection.close()

        with ThreadPoolExecutor(BROWSERS) as pool:
            return sum(pool.map(send, browsers))

    def test_a_code_of_the_app(self) -> None:
        secret = generate_totp_secret()
        Authenticator.objects.create(
            user=self.olga,
            type=Authenticator.Type.TOTP,
            data={"secret": seal(secret, bound_to=self.place)},
        )
        self.assertEqual(self.send_at_once(code_of(secret)), 1)
        self.assertEqual(Entry.objects.filter(event="person.signed_in").count(), 1)

    def test_a_recovery_code(self) -> None:
        for kind, name, secret in (
            (Authenticator.Type.TOTP, "secret", generate_totp_secret()),
            (Authenticator.Type.RECOVERY_CODES, "seed", RecoveryCodes.generate_seed()),
        ):
            sealed = seal(secret, bound_to=self.place)
            data = {name: sealed, "used_mask": 0}
            Authenticator.objects.create(user=self.olga, type=kind, data=data)
        with mock.patch(
            "allauth.mfa.recovery_codes.internal.auth.decrypt", return_value=secret
        ):
            code = Authenticator.objects.get(type=kind).wrap().get_unused_codes()[0]
        self.assertEqual(self.send_at_once(code), 1)
        used = Entry.objects.filter(event="person.recovery_code_used")
        self.assertEqual(used.count(), 1)
