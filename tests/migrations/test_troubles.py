"""Each class of failure, provoked at real servers."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from unittest import mock

import pytest
from django.test import override_settings
from django.utils import timezone

from purelymanage.migrations import tasks, troubles
from purelymanage.migrations.models import Job, Run, RunError, Server
from purelymanage.migrations.operations import secrets
from purelymanage.migrations.options import copy_options
from tests.cast import CastTestCase
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.proxy import Proxy

LIMITS = """
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=40K
  quota_max_mail_size = 15K
}
"""


def message(number: int, size: int) -> Stored:
    head = f"Message-ID: <{number}@old.example>\r\nSubject: {number}\r\n\r\n"
    return Stored(head.encode() + b"x" * size)


def impatient(*args: Any, **kwargs: Any) -> Any:
    """The options of a job, but without connecting again and again."""
    return replace(copy_options(*args, **kwargs), reconnects=0)


@pytest.mark.slow
class TroubleTests(CastTestCase):
    old: ClassVar[Dovecot]
    new: ClassVar[Dovecot]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.old = cls.enterClassContext(Dovecot())
        cls.new = cls.enterClassContext(Dovecot(extra=LIMITS))
        for name, sizes in (
            ("small", [100] * 3),
            ("slowed", [100] * 3),
            ("much", [9_000] * 8),
            ("large", [100, 30_000, 100]),
        ):
            cls.old.add_user(name, "right")
            cls.new.add_user(name, "right")
            stored = [message(n, size) for n, size in enumerate(sizes)]
            cls.old.seed(name, {"INBOX": stored})
        cls.enterClassContext(mock.patch.object(tasks, "copy_options", impatient))

    def server(self, dovecot: Dovecot, **columns: Any) -> Server:
        columns = {
            "name": f"Port {dovecot.tls_port}",
            "host": dovecot.host,
            "port": dovecot.tls_port,
            "verify_certificate": False,
            "created_by": self.olga,
        } | columns
        return Server.objects.create(**columns)

    def copy(self, user: str, *, password: str = "right", **columns: Any) -> Run:
        wishes = {"server": None, "destination_server": None} | columns
        job = Job(
            server=wishes["server"] or self.server(self.old),
            source_user=user,
            destination=user,
            destination_server=wishes["destination_server"] or self.server(self.new),
            created_by=self.adam,
        )
        secrets.seal_secret(job, password)
        secrets.seal_destination_secret(job, columns.get("there", "right"))
        job.save()
        now = timezone.now()
        run = Run.objects.create(job=job, pair=job.pair, dry_run=False, handed_at=now)
        return self.carry_out(run)

    def carry_out(self, run: Run) -> Run:
        Run.objects.filter(state="queued").update(handed_at=timezone.now())
        tasks.run_job(run.pk)
        run.refresh_from_db()
        return run

    def assert_reads(self, run: Run, trouble: str, sentence: str, step: str) -> None:
        self.assertEqual(run.trouble, trouble, run.failure)
        self.assertIn(sentence, run.failure)
        self.assertTrue(run.failure.endswith("."))
        self.assertIn(step, troubles.next_step(run))

    def test_nothing_is_wrong_at_all(self) -> None:
        run = self.copy("small")
        self.assertEqual((run.verdict, run.trouble), ("complete", ""))
        self.assertEqual(troubles.next_step(run), "")

    def test_a_full_destination_stops_and_asks(self) -> None:
        run = self.copy("much")
        self.assertEqual(run.state, Run.State.FAILED)
        self.assert_reads(run, "quota", "takes no more messages", "Make room")

    def test_a_message_too_large_is_named_and_asks(self) -> None:
        run = self.copy("large")
        self.assertEqual((run.state, run.verdict), ("done", "complete_with_skips"))
        self.assertEqual((run.trouble, run.copied, run.failed), ("oversize", 2, 1))
        self.assertIn("stays in the old mailbox", troubles.next_step(run))
        (group,) = troubles.by_cause(run)
        self.assertEqual((group.cause, group.count), (troubles.TOO_LARGE, 1))
        self.assertNotEqual(RunError.objects.get().uid, 0)

    def test_a_wrong_password_is_tried_twice_and_then_asked_for(self) -> None:
        run = self.copy("small", password="wrong")
        self.assert_reads(run, "password", "refused this password", "tries once more")
        assert run.not_before is not None
        self.assertGreater(run.not_before - timezone.now(), timedelta(minutes=9))
        run = self.carry_out(run)
        self.assertEqual(run.state, Run.State.FAILED)
        self.assert_reads(run, "password", "The source", "Ask the owner")
        self.assertTrue(Job.objects.get().needs_password)

    def test_a_wrong_password_there_is_another_matter(self) -> None:
        run = self.carry_out(self.copy("small", there="wrong"))
        self.assertEqual(run.state, Run.State.FAILED)
        self.assertEqual(run.trouble, "password")
        self.assertFalse(Job.objects.get().needs_password)

    def test_a_certificate_that_is_not_trusted(self) -> None:
        strict = self.server(self.old, name="Strict", verify_certificate=True)
        run = self.copy("small", server=strict)
        self.assertEqual(run.state, Run.State.FAILED)
        self.assert_reads(run, "certificate", "certificate", "the host name")
        with override_settings(IMAP_CA_FILE=self.old.ca_file):
            self.assertEqual(self.carry_out(self.again(run)).verdict, "complete")

    def test_nobody_listens(self) -> None:
        run = self.copy("small", server=self.server(self.old, name="Gone", port=9))
        self.assertEqual((run.state, run.retries), (Run.State.QUEUED, 1))
        self.assert_reads(run, "connection", "Nobody listens", "by itself")
        self.assertGreater(run.not_before or timezone.now(), timezone.now())

    def test_a_server_that_is_shut_down_while_it_stores(self) -> None:
        with Dovecot() as doomed:
            doomed.add_user("small", "right")
            sent = 0

            def shut_down(data: bytes) -> bytes:
                nonlocal sent
                if b"completed" in data and b"APPENDUID" in data:
                    sent += 1
                    threading.Thread(target=doomed.stop).start()
                    return b""
                return data

            with Proxy(doomed.port, rewrite=shut_down) as proxy:
                there = self.server(
                    doomed, port=proxy.port, security=Server.Protection.CLEAR
                )
                run = self.copy("small", destination_server=there)
        self.assertEqual(sent, 1)
        self.assertEqual(run.state, Run.State.QUEUED)
        self.assert_reads(
            run, "connection", "The connection to the destination", "again"
        )

    def test_a_server_that_slows_us_down_gets_the_time_it_names(self) -> None:
        words = b" NO [THROTTLED] Suggested Backoff Time: 299923 milliseconds"

        fetching = False

        def throttle(data: bytes) -> bytes:
            nonlocal fetching
            fetching = fetching or b"BODY[]" in data
            if not fetching:
                return data
            return re.sub(rb"(?m)^(P\d+) OK [^\r]*", rb"\1" + words, data)

        with Proxy(self.old.port, rewrite=throttle) as proxy:
            slow = self.server(
                self.old, port=proxy.port, security=Server.Protection.CLEAR
            )
            run = self.copy("slowed", server=slow)
        self.assertEqual((run.state, run.retries), (Run.State.QUEUED, 0))
        self.assert_reads(run, "throttled", "asked us to slow down", "by itself")
        assert run.not_before is not None
        wait = (run.not_before - timezone.now()).total_seconds()
        self.assertTrue(290 < wait < 300, wait)

    def test_a_server_that_makes_no_sense_offers_the_other_engine(self) -> None:
        def babble(data: bytes) -> bytes:
            return re.sub(rb"\* LIST [^\r]*", b"* LIST (((", data)

        with Proxy(self.old.port, rewrite=babble) as proxy:
            strange = self.server(
                self.old, port=proxy.port, security=Server.Protection.CLEAR
            )
            run = self.copy("small", server=strange)
        self.assertEqual((run.state, run.trouble), (Run.State.FAILED, "protocol"))
        with mock.patch.object(troubles, "get_engine"):
            self.assertEqual(troubles.other_engine(run), "imapsync")
            self.assertIn("run it again with imapsync", troubles.next_step(run))

    def again(self, run: Run) -> Run:
        Run.objects.filter(pk=run.pk).update(is_newest=False)
        return Run.objects.create(job=run.job, pair=run.pair, dry_run=False)
