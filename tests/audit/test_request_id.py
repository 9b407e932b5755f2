from __future__ import annotations

from purelymanage.audit.models import Entry
from tests.cast import PASSWORD, CastTestCase

NAMED = {"X-Request-ID": "proxy-0123456789"}


class RequestIdTests(CastTestCase):
    def sign_in(self, **headers: str) -> tuple[str, Entry]:
        form = {"login": "adam@example.org", "password": PASSWORD}
        r = self.client.post("/accounts/login/", form, headers=headers)
        entry = Entry.objects.filter(event="person.signed_in").latest("sequence")
        return r["X-Request-ID"], entry

    def test_answer_and_entry_carry_the_same_name(self) -> None:
        name, entry = self.sign_in()
        self.assertRegex(name, r"^[0-9a-f]{32}$")
        self.assertEqual(entry.request_id, name)

    def test_a_stranger_does_not_choose_it(self) -> None:
        self.assertNotEqual(self.sign_in(**NAMED)[0], "proxy-0123456789")

    def test_a_proxy_in_front_does(self) -> None:
        with self.settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
            self.assertEqual(self.sign_in(**NAMED)[0], "proxy-0123456789")
            odd = {"X-Request-ID": "a b\u00fc"}
            self.assertRegex(self.sign_in(**odd)[0], r"^[0-9a-f]{32}$")

    def test_who_is_turned_away_at_the_door_gets_one_as_well(self) -> None:
        r = self.client.post("/gather/a-token/", {"password": "y" * 20_000})
        self.assertEqual(r.status_code, 400)
        self.assertRegex(r["X-Request-ID"], r"^[0-9a-f]{32}$")
        self.assertIn("camera=()", r["Permissions-Policy"])
