from __future__ import annotations

from django.core.cache import cache
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import Mailbox
from tests.account import fill_account
from tests.cast import CastTestCase
from tests.sandbox import SandboxTestCase

URL = "/mailboxes/box1@example.org/"


class MailboxDetailTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()
        fill_account()
        self.client.force_login(self.olga)

    def test_it_tells_what_is_known(self) -> None:
        Mailbox.objects.update(
            details_at=timezone.now(), two_factor=True, reset_allowed=False
        )
        r = self.client.get(URL)
        self.assertContains(r, "1@home.example")
        self.assertContains(r, "a password and a code")
        self.assertContains(r, "cannot be read again")

    def test_it_says_what_is_not_known_yet(self) -> None:
        self.assertContains(self.client.get(URL), "was not asked about this mailbox")

    def test_it_tells_its_history(self) -> None:
        for address in ("box1@example.org", "box2@example.org"):
            log.record(Event.MAILBOX_CREATED, actor=self.adam, target=address)
        r = self.client.get(URL)
        self.assertContains(r, "created the mailbox box1@example.org")
        self.assertNotContains(r, "created the mailbox box2@example.org")

    def test_helpers_do_not_see_the_history(self) -> None:
        self.hedy.domain_scope = None
        self.hedy.save(update_fields=["domain_scope"])
        self.client.force_login(self.hedy)
        self.assertNotContains(self.client.get(URL), "What happened")

    def test_capitals_do_not_matter(self) -> None:
        r = self.client.get("/mailboxes/Box1@Example.org/")
        self.assertContains(r, "box1@example.org")

    def test_what_is_gone_can_still_be_looked_at(self) -> None:
        Mailbox.objects.update(gone_at=timezone.now())
        r = self.client.get(URL)
        self.assertContains(r, "not at PurelyMail any more")
        self.assertNotContains(r, "Delete mailbox")
        self.assertFalse(OrmQ.objects.exists())

    def test_looking_twice_asks_once(self) -> None:
        self.client.get(URL)
        self.client.get(URL)
        self.assertEqual(OrmQ.objects.count(), 1)


class ReadDetailsTests(SandboxTestCase):
    def test_it_reads_what_purelymail_has(self) -> None:
        mailbox = Mailbox.objects.create(
            address="david@example.org", domain="example.org"
        )
        self.assertEqual(tasks.read_details(mailbox.pk), "read")
        mailbox.refresh_from_db()
        self.assertIsNotNone(mailbox.details_at)
        self.assertEqual(self.sandbox.calls.names, ["getUser"])

    def test_a_fault_is_an_outcome(self) -> None:
        mailbox = Mailbox.objects.create(
            address="david@example.org", domain="example.org"
        )
        self.fault("status_500", "getUser", times=None)
        self.assertNotEqual(tasks.read_details(mailbox.pk), "read")
        mailbox.refresh_from_db()
        self.assertIsNone(mailbox.details_at)
