from __future__ import annotations

from unittest import mock

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import Creation, Mailbox
from purelymanage.purelymail import client
from purelymanage.routing.models import Rule
from tests.account import (
    add_app_password,
    add_deletion,
    add_job,
    add_server,
    fill_account,
)
from tests.cast import HTMX, CastTestCase
from tests.sandbox import SandboxTestCase

ADDRESS = "box1@example.org"
URL = f"/mailboxes/{ADDRESS}/"


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

    def test_an_answer_that_tells_nothing_is_not_taken_for_off(self) -> None:
        Mailbox.objects.update(details_at=timezone.now(), two_factor=None)
        r = self.client.get(URL)
        self.assertContains(r, "knew nothing about this mailbox")
        self.assertNotContains(r, 'role="switch"')
        self.assertContains(self.client.get(f"{URL}recovery/"), "not known yet")

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

    def test_its_end_can_be_called_off_here(self) -> None:
        deletion = add_deletion(self.olga, ADDRESS, reason="left the company")
        r = self.client.get(URL)
        self.assertContains(r, "left the company")
        for action in ("Reset password", "Suspend…", "Add a method", "Delete…"):
            self.assertNotContains(r, action)
        cancel = f"/deletions/{deletion.pk}/cancel/"
        self.assertContains(r, cancel)
        self.assertRedirects(self.client.post(cancel, {"next": URL}), URL)
        self.assertContains(self.client.get(URL), "Reset password")

    def test_who_created_it_is_told(self) -> None:
        self.assertContains(self.client.get(URL), "Known since")
        Creation.objects.create(
            address=ADDRESS,
            state=Creation.State.DONE,
            settled_at=timezone.now(),
            requested_as="jo at a command line",
        )
        self.assertContains(self.client.get(URL), "by jo at a command line")

    @pytest.mark.slow
    def test_more_rows_take_no_more_queries(self) -> None:
        self.client.get(URL)  # what is looked up only once is looked up now
        self.add_rows(range(2))
        with CaptureQueriesContext(connection) as few:
            self.client.get(URL)
        self.add_rows(range(2, 30))
        with self.assertNumQueries(len(few)):
            self.client.get(URL)

    def add_rows(self, numbers: range) -> None:
        server = add_server(self.olga, name=f"Server {numbers.start}")
        for number in numbers:
            job = add_job(server, number=1)
            job.source_user = f"old{number}@old.example"
            job.save(update_fields=["source_user"])
            Rule.objects.create(
                remote_id=9_000 + number,
                domain="example.org",
                match_user=f"more{number}",
                prefix=False,
                catchall=False,
                targets=[ADDRESS, f"box{number % 3}@example.org"],
            )
            add_app_password(self.adam, ADDRESS, name=f"Phone {number}")
            log.record(Event.MAILBOX_NOTED, actor=self.adam, target=ADDRESS, changes="")

    def test_looking_twice_asks_once(self) -> None:
        self.client.get(URL)
        self.client.get(URL)
        self.assertEqual(OrmQ.objects.count(), 1)


class WaitingPageTests(CastTestCase):
    """A page that was drawn before the details were read comes back for them."""

    def setUp(self) -> None:
        cache.clear()
        fill_account()
        self.client.force_login(self.olga)

    def come_back(self, read: str = "never", **more: str) -> int:
        r = self.client.get(URL, {"read": read, **more}, headers=HTMX)
        self.content = r.content.decode()
        return r.status_code

    def test_it_waits_and_then_shows_them(self) -> None:
        self.assertContains(self.client.get(URL), "every 2s")
        self.assertEqual(self.come_back(), 204)
        Mailbox.objects.update(details_at=timezone.now(), two_factor=True)
        self.assertEqual(self.come_back(), 200)
        self.assertIn("a password and a code", self.content)
        self.assertNotIn("every 2s", self.content)

    def test_it_does_not_write_over_a_form(self) -> None:
        self.client.get(URL)
        Mailbox.objects.update(details_at=timezone.now())
        self.assertEqual(self.come_back(editing="1"), 286)

    def test_it_stops_where_no_news_will_come(self) -> None:
        now = timezone.now()
        Mailbox.objects.update(details_at=now)
        self.client.get(URL)
        self.assertEqual(self.come_back(now.isoformat()), 204)
        cache.clear()
        self.assertEqual(self.come_back(now.isoformat()), 286)

    def test_what_was_never_read_is_asked_for_each_minute(self) -> None:
        self.client.get(URL)
        cache.clear()
        self.assertEqual(self.come_back(), 204)
        self.assertEqual(OrmQ.objects.count(), 2)


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
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        self.fault("status_500", "getUser", times=None)
        self.assertNotEqual(tasks.read_details(mailbox.pk), "read")
        mailbox.refresh_from_db()
        self.assertIsNone(mailbox.details_at)
