from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.http import HttpResponse
from django.test import override_settings
from django.utils import timezone

from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import sync
from purelymanage.domains.models import SyncRun
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import Creation, Mailbox
from purelymanage.mailboxes.operations import changing
from purelymanage.mailboxes.operations import creating as operations
from tests.mailboxes.test_create_mailbox import (
    ADDRESS,
    PASSWORD,
    CreateMailboxTestCase,
)


class TroubleTests(CreateMailboxTestCase):
    def assert_not_created(self, r: HttpResponse, sentence: str, status: int) -> None:
        self.assertContains(r, sentence, status_code=status, html=False)
        self.assertFalse(Mailbox.objects.filter(address=ADDRESS).exists())
        self.assertEqual(Creation.objects.get().state, Creation.State.FAILED)
        [sentence] = self.sentences()
        self.assertIn("could not create the mailbox", sentence)

    def test_a_refusal_is_told_at_the_field(self) -> None:
        self.fault("error", "createUser", code="x", message="Not that name.")
        r = self.create()
        self.assert_not_created(r, "PurelyMail refused zoe@example.org", 422)
        self.assertContains(r, 'id="id_local_part_error"', status_code=422)

    def test_the_focus_goes_to_what_is_wrong(self) -> None:
        self.fault("error", "createUser", code="x", message="Not that name.")
        page = self.create().content.decode()
        [focused] = re.findall(r"<[^>]*\sautofocus[^>]*>", page)
        self.assertIn('id="id_local_part"', focused)

        self.fault("status_500", "createUser")
        page = self.create().content.decode()
        [focused] = re.findall(r"<[^>]*\sautofocus[^>]*>", page)
        self.assertIn('role="alert"', focused)
        self.assertIn('tabindex="-1"', focused)

    def test_a_refused_password_is_told_at_the_password(self) -> None:
        self.fault("error", "createUser", code="x", message="Password was leaked.")
        r = self.create()
        self.assert_not_created(r, "Password was leaked.", 422)
        self.assertContains(r, 'id="id_password_error"', status_code=422)

    def test_what_the_mirror_does_not_know_of_is_refused_by_purelymail(self) -> None:
        self.remote(
            "createUser", userName="zoe", domainName="example.org", password="x"
        )
        self.assert_not_created(self.create(), "User already exists.", 422)
        self.assertIsNone(self.sandbox.account.log_in(ADDRESS, PASSWORD))

    def test_silent_success_is_not_believed(self) -> None:
        self.fault("silent_success", "createUser")
        self.assert_not_created(self.create(), "but the mailbox is not there", 502)

    def test_a_request_that_got_lost_is_told(self) -> None:
        for kind in ("drop", "status_500", "refuse_before"):
            with self.subTest(kind=kind):
                Creation.objects.all().delete()
                Entry.objects.all().delete()
                self.fault(kind, "createUser")
                self.assert_not_created(self.create(), "was not created", 502)

    def test_an_answer_that_was_an_error_is_told_as_one(self) -> None:
        for kind, words in {
            "status_500": "answered with an error (HTTP 500)",
            "refuse_before": "answered with an error (HTTP 503)",
            "not_json": "an answer that cannot be read",
        }.items():
            with self.subTest(kind=kind):
                Creation.objects.all().delete()
                Entry.objects.all().delete()
                self.fault(kind, "createUser")
                r = self.create()
                self.assert_not_created(r, words, 502)
                self.assertNotContains(r, "created. PurelyMail could", status_code=502)
                self.assertIn(words, self.settled()[1])

    @pytest.mark.slow
    def test_an_answer_that_got_lost_does_no_harm(self) -> None:
        for kind in ("drop_after", "half_answer", "hang_after"):
            with self.subTest(kind=kind), self.timeout(0.5, "createUser"):
                self.sandbox.reset()
                Mailbox.objects.filter(address=ADDRESS).delete()
                self.fault(kind, "createUser", seconds=2)
                r = self.create()
                self.assertContains(r, "answer was lost", status_code=201)
                self.assertTrue(Mailbox.objects.filter(address=ADDRESS).exists())

    def test_without_a_connection_nothing_is_left_open(self) -> None:
        with override_settings(PURELYMAIL_API_URL="http://127.0.0.1:9"):
            self.assert_not_created(self.create(), "could not be reached", 502)

    def test_without_a_token_it_says_so(self) -> None:
        with override_settings(PURELYMAIL_API_TOKEN=""):
            self.assert_not_created(self.create(), "No PurelyMail token is set", 502)

    def test_a_refused_token_is_no_fault_of_the_address(self) -> None:
        with override_settings(PURELYMAIL_API_TOKEN="pm-live-wrong"):
            r = self.create()
        self.assert_not_created(r, "refused the panel&#x27;s token", 502)

    def test_settings_that_were_not_kept_are_told(self) -> None:
        self.fault("silent_success", "createUser")
        self.remote(
            "createUser", userName="zoe", domainName="example.org", password="x"
        )
        r = self.create(
            search_indexing="",
            recovery_email="zoe@private.example",
            recovery_phone="+491701234567",
        )
        self.assertContains(r, "did not keep +491701234567", status_code=201)
        self.assertContains(r, "has search indexing on all the same", status_code=201)
        self.assertContains(r, "did not keep zoe@private.example", status_code=201)


class UnknownTests(CreateMailboxTestCase):
    """Created or not: PurelyMail stopped answering right after the request."""

    def ask(self, kind: str) -> HttpResponse:
        self.fault(kind, "createUser")
        self.fault("drop", "getUser", times=None)
        r = self.create()
        self.sandbox.faults.clear()
        return r

    def test_it_says_that_nobody_knows(self) -> None:
        r = self.ask("drop_after")
        self.assertContains(r, "Nobody knows yet", status_code=502)
        self.assertContains(r, PASSWORD, status_code=502)
        self.assertEqual(self.settled(), ("asked", ""))
        self.assertEqual(self.sentences(), [])
        self.assertEqual(SyncRun.objects.latest("pk").state, SyncRun.State.QUEUED)

    def test_a_second_attempt_waits_for_the_first(self) -> None:
        self.ask("drop_after")
        self.sandbox.calls.clear()
        r = self.create()
        self.assertContains(r, "already, and its answer is awaited", status_code=422)
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_the_next_sync_finds_the_mailbox(self) -> None:
        self.ask("drop_after")
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(self.settled(), ("done", ""))
        self.assertEqual(
            self.sentences(), ["adam@example.org created the mailbox zoe@example.org"]
        )

    def test_a_sync_does_not_give_up_at_once(self) -> None:
        self.ask("drop")
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(self.settled(), ("asked", ""))
        self.assertEqual(self.sentences(), [])

    @pytest.mark.slow
    def test_a_later_sync_gives_up(self) -> None:
        self.ask("drop")
        tasks.fill_in_details()
        self.assertEqual(SyncRun.objects.filter(state="queued").count(), 1)
        sync.sync(actor=Agent.PANEL)
        Creation.objects.update(requested_at=timezone.now() - timedelta(minutes=6))
        tasks.settle_creations()
        self.assertTrue(SyncRun.objects.filter(state="queued").exists())
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(self.settled(), ("failed", "PurelyMail did not create it."))
        self.assertEqual(
            self.sentences(),
            [
                "adam@example.org could not create the mailbox zoe@example.org: "
                "PurelyMail did not create it."
            ],
        )
        self.assertEqual(self.create().status_code, 201)

    def test_a_sync_that_has_just_failed_is_not_asked_for_each_minute(self) -> None:
        self.ask("drop")
        Creation.objects.update(requested_at=timezone.now() - timedelta(minutes=6))
        SyncRun.objects.all().delete()
        failed = SyncRun.objects.create(state="failed", finished_at=timezone.now())
        tasks.settle_creations()
        self.assertFalse(SyncRun.objects.filter(state="queued").exists())
        failed.finished_at = timezone.now() - timedelta(minutes=10)
        failed.save()
        tasks.settle_creations()
        self.assertTrue(SyncRun.objects.filter(state="queued").exists())

    def test_a_crash_after_the_call_is_settled_by_the_next_sync(self) -> None:
        with (
            mock.patch.object(operations, "look", side_effect=SystemExit),
            self.assertRaises(SystemExit),
        ):
            self.create()
        self.assertEqual(self.settled(), ("asked", ""))
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(self.settled(), ("done", ""))
        self.assertTrue(Mailbox.objects.filter(address=ADDRESS).exists())

    def test_a_sync_in_between_does_not_tell_twice(self) -> None:
        look = changing.look

        def slowly(*arguments: Any) -> Any:
            sync.sync(actor=Agent.PANEL)
            return look(*arguments)

        with mock.patch.object(operations, "look", slowly):
            self.assertEqual(self.create().status_code, 201)
        self.assertEqual(
            self.sentences(), ["adam@example.org created the mailbox zoe@example.org"]
        )
