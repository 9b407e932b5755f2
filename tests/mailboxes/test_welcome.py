from __future__ import annotations

import re
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import HandOver, Mailbox
from purelymanage.mailboxes.operations import hand_overs
from tests.cast import CastTestCase

PASSWORD = "nine-blue-canaries-sang-at-noon"
ADDRESS = "zoe@shop.example"


class WelcomeTestCase(CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        self.mailbox = Mailbox.objects.create(address=ADDRESS, domain="shop.example")
        self.link = self.make()
        self.path = self.link.url.removeprefix("http://localhost:8000")

    def make(self, **changes: Any) -> hand_overs.Link:
        wanted: dict[str, Any]
        wanted = {"mailbox": self.mailbox, "password": PASSWORD, "actor": self.adam}
        return hand_overs.make_hand_over(**wanted | changes)

    def view(self, client: Client | None = None) -> HttpResponse:
        r = (client or self.client).post(self.path)
        assert isinstance(r, HttpResponse)
        return r

    def row(self) -> HandOver:
        return HandOver.objects.get(pk=self.link.hand_over.pk)

    def events(self) -> list[str]:
        entries = Entry.objects.filter(event__startswith="mailbox.hand_over")
        found = entries.order_by("sequence").values_list("event", flat=True)
        return [event.removeprefix("mailbox.hand_over_") for event in found]


class ViewingTests(WelcomeTestCase):
    def test_following_the_link_uses_nothing_up(self) -> None:
        for _ in range(3):
            r = self.client.get(self.path)
            self.assertContains(r, f"A password for {ADDRESS} waits here")
            self.assertNotContains(r, PASSWORD)
        self.client.head(self.path)
        self.assertTrue(self.row().is_open)

    def test_the_button_shows_it_once_and_erases_it(self) -> None:
        r = self.view(Client(enforce_csrf_checks=True))
        self.assertContains(r, f"<code>{PASSWORD}</code>")
        self.assertContains(r, "smtp.purelymail.com")
        self.assertContains(r, "https://inbox.purelymail.com")

        row = self.row()
        self.assertEqual((row.secret, row.token), ("", ""))
        self.assertEqual(row.viewed_from, "127.0.0.1")
        self.assertEqual(self.events(), ["made", "viewed"])
        entry = Entry.objects.latest("sequence")
        self.assertEqual(
            (entry.actor_name, entry.address, entry.target),
            ("a stranger", "127.0.0.1", ADDRESS),
        )

        for method in (self.client.get, self.client.post):
            again = method(self.path)
            self.assertContains(again, "was shown already", status_code=410)
            self.assertContains(again, "If it was not you", status_code=410)
        self.assertEqual(self.events(), ["made", "viewed"])

    def test_who_is_signed_in_is_named_and_warned(self) -> None:
        self.client.force_login(self.hedy)
        self.assertContains(self.client.get(self.path), "This is for the owner")
        self.view()
        self.assertEqual(Entry.objects.latest("sequence").actor, self.hedy)

    def test_nobody_else_learns_of_the_link(self) -> None:
        for r in (self.client.get(self.path), self.view(), self.view()):
            self.assertEqual(r.headers["Referrer-Policy"], "no-referrer")
            self.assertIn("no-store", r.headers["Cache-Control"])
            self.assertIn("noindex", r.headers["X-Robots-Tag"])
            self.assertFalse(r.cookies)

    def test_of_an_app_password_it_says_what_it_is_for(self) -> None:
        link = self.make(what=HandOver.What.APP_PASSWORD)
        self.assertTrue(self.row().is_open)  # of another kind
        r = self.client.post(link.url.removeprefix("http://localhost:8000"))
        self.assertContains(r, "Your app password")
        self.assertNotContains(r, "https://inbox.purelymail.com")

    def test_with_a_second_factor_it_says_that_programs_need_more(self) -> None:
        Mailbox.objects.update(two_factor=True)
        self.assertContains(self.view(), "for an app password")


class ClosedTests(WelcomeTestCase):
    def assert_closed(self, sentence: str) -> None:
        for r in (self.client.get(self.path), self.view()):
            self.assertContains(r, sentence, status_code=410)
            self.assertNotContains(r, PASSWORD, status_code=410)

    def test_a_withdrawn_link_is_told_as_such(self) -> None:
        hand_overs.withdraw_hand_over(hand_over=self.link.hand_over, actor=self.hedy)
        self.assert_closed("was withdrawn")
        self.assertEqual(self.row().secret, "")
        self.assertEqual(self.events(), ["made", "withdrawn"])
        with self.assertRaises(Refused):
            hand_overs.withdraw_hand_over(
                hand_over=self.link.hand_over, actor=self.hedy
            )

    def test_an_old_link_shows_nothing_and_is_erased(self) -> None:
        HandOver.objects.update(expires_at=timezone.now())
        self.assert_closed("too old")
        self.assertEqual(tasks.sweep_hand_overs(), "1 erased")
        self.assertEqual(tasks.sweep_hand_overs(), "0 erased")
        self.assertEqual((self.row().secret, self.row().token), ("", ""))
        self.assertEqual(self.events(), ["made", "expired"])
        self.assert_closed("too old")

    def test_with_the_mailbox_the_link_goes(self) -> None:
        Mailbox.objects.update(gone_at=timezone.now())
        self.assert_closed("no such mailbox")
        self.assertEqual(tasks.sweep_hand_overs(), "1 erased")
        self.assertEqual(self.events(), ["made", "withdrawn"])
        with self.assertRaisesMessage(Refused, "not at PurelyMail any more"):
            self.make()

    def test_a_new_link_closes_the_one_before(self) -> None:
        self.make()
        self.assert_closed("was withdrawn")
        self.assertEqual(self.events(), ["made", "withdrawn", "made"])

    def test_unknown_links_are_said_to_be_unknown_and_not_for_long(self) -> None:
        for _ in range(20):
            r = self.client.get("/welcome/guess/")
            self.assertContains(r, "Copy the whole link", status_code=404)
        for path in ("/welcome/guess/", self.path):
            self.assertEqual(self.client.get(path).status_code, 429)
        self.assertTrue(self.row().is_open)


class KeepingTests(WelcomeTestCase):
    def test_neither_password_nor_token_lies_about(self) -> None:
        with self.assertLogs(level="DEBUG") as logs:
            self.client.get("/welcome/guess/")  # something has to be logged
            self.make(what=HandOver.What.APP_PASSWORD)
        token = self.path.split("/")[2]
        everything = [repr(self.link), *logs.output]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT it::text FROM "{table}" it')  # noqa: S608
                everything += [row[0] for row in cursor.fetchall()]
        text = "".join(everything)
        self.assertIn(ADDRESS, text)
        self.assertNotIn(PASSWORD, text)
        self.assertNotIn(token, text)

    def test_the_link_can_be_told_again_while_it_is_open(self) -> None:
        self.assertEqual(hand_overs.link_of(self.row()), self.link.url)
        self.assertTrue(re.fullmatch(r".*/welcome/[\w-]{43}/", self.link.url))
        self.view()
        self.assertEqual(hand_overs.link_of(self.row()), "")
