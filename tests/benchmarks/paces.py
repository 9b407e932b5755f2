"""What `tests.benchmarks.small` measures. The suite counts calls and queries instead."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from purelymanage.imap.errors import ProtocolError
from purelymanage.imap.tokens import tokenize
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations import queue
from purelymanage.migrations.campaigns.verdict_list import counts_of
from purelymanage.migrations.campaigns.verdicts import codes_of, with_verdict
from purelymanage.migrations.engines.imapsync.hiding import Hider
from purelymanage.migrations.engines.imapsync.parsing import Transcript
from purelymanage.migrations.engines.pipeline.matching import find_pairs
from purelymanage.migrations.models import Job, Run, Submission
from purelymanage.routing.model.warnings import warnings
from tests.imap.test_tokens import UNITS
from tests.mailboxes.bulk.cases import ADDRESSES
from tests.mailboxes.bulk.test_import_mailboxes import ImportTestCase as MailboxTestCase
from tests.migrations.campaigns.people import DOMAIN, add_people, numbered
from tests.migrations.campaigns.test_launching import LaunchTestCase
from tests.migrations.campaigns.test_verdicts import ReviewTestCase
from tests.migrations.engines.imapsync import test_garbage, test_hiding
from tests.migrations.engines.test_listing import poor, present
from tests.migrations.importing.cases import ImportTestCase
from tests.migrations.waiting_runs import WithRuns
from tests.routing.rules import account, rule


@contextlib.contextmanager
def within(
    seconds: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[None]:
    began = clock()
    yield
    took = clock() - began
    print(f"{took * 1000:.0f} ms of {seconds * 1000:.0f}")  # noqa: T201
    assert took < seconds


def test_warnings_of_a_thousand_rules() -> None:
    rules = [
        rule(
            f"alias{n}*@example.org",
            f"box{n}@example.org",
            f"alias{n + 1}@example.org",
        )
        for n in range(1_000)
    ]
    boxes = " ".join(f"box{n}@example.org" for n in range(1_000))
    with within(0.1, time.process_time):
        warnings(account(*rules, boxes=boxes))


@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_of_anything(unit: bytes) -> None:
    line = unit * (1_000_000 // len(unit))
    with within(2, time.process_time), contextlib.suppress(ProtocolError):
        tokenize([line])


def test_ten_thousand_poor_messages() -> None:
    many = poor(*((10, number % 7) for number in range(10_000)))
    with within(2, time.process_time):
        assert sum(present(many, poor(*((11, 3) for _ in range(10_000))))) == 1429
        assert len(find_pairs([many], many)[0]) == 10_000


@pytest.mark.parametrize("line", test_garbage.LONG_LINES)
def test_a_line_made_to_take_long(line: str) -> None:
    with within(1):
        Transcript(["INBOX"]).feed(line)


@pytest.mark.parametrize("line", test_hiding.LONG_LINES)
def test_a_long_line_with_passwords(line: str) -> None:
    hide = Hider(test_hiding.WORDS).hide
    with within(1):
        hide(line)


class MailboxTableTests(MailboxTestCase):
    def test_a_thousand_rows(self) -> None:
        lines = [f"{address};{n}@home.example" for n, address in enumerate(ADDRESSES)]
        with within(2):
            bulk = self.upload("address;recovery address\n" + "\n".join(lines))
            self.choose(bulk, column2="", column4="")
            self.client.get(f"/mailboxes/bulk/{bulk.pk}/")


class JobTableTests(ImportTestCase):
    def test_a_thousand_jobs(self) -> None:
        rows = [f"u{n}@old.example,secret{n},u{n}@shop.example" for n in range(1_000)]
        Mailbox.objects.bulk_create(
            Mailbox(address=f"u{n}@shop.example", domain="shop.example")
            for n in range(1_000)
        )
        batch = self.draft("from,password,to\n" + "\n".join(rows))
        form = {"name": "wave", "shown": self.shown(batch)}
        with within(5):
            self.client.post(f"/migrations/batches/{batch.pk}/confirm/", form)


class QueueTests(WithRuns):
    def test_ten_thousand_that_wait(self) -> None:
        self.slots(20)
        batches = [self.add_batch(f"b{n}") for n in range(20)]
        Job.objects.bulk_create(
            Job(
                server=self.server,
                source_user=f"user{n}",
                destination=f"box{n}@shop.example",
                batch=batches[n % 20],
                created_by=self.adam,
            )
            for n in range(10_000)
        )
        Run.objects.bulk_create(
            Run(job=job, pair=job.pair, dry_run=True)
            for job in Job.objects.select_related("server", "destination_server")
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE migrations_run, migrations_job")
        with within(0.8):
            self.assertEqual(queue.dispatch(), 20)
        first = Run.objects.filter(handed_at__isnull=False).earliest("pk")
        Run.objects.filter(pk=first.pk).update(
            state="stopped", handed_at=None, finished_at=first.handed_at
        )
        with within(0.5):
            self.assertEqual(queue.dispatch(), 1)
        with within(0.1):
            self.assertEqual(queue.dispatch(), 0)


class CampaignLaunchTests(LaunchTestCase):
    def test_a_thousand_are_launched(self) -> None:
        self.hand_over(*numbered(1_000))
        with connection.cursor() as cursor:
            # As the server does by itself.
            cursor.execute("ANALYZE migrations_participant, migrations_submission")
        with within(10):
            self.launch()
        self.assertEqual(Run.objects.count(), 1_000)


class CampaignReviewTests(ReviewTestCase):
    def test_ten_thousand_are_reviewed(self) -> None:
        count = 10_000
        people = add_people(self.campaign, *numbered(count))
        Submission.objects.bulk_create(
            [
                Submission(participant=it, state=Submission.State.RIGHT, secret="x")
                for it in people
            ],
            batch_size=1_000,
        )
        Mailbox.objects.bulk_create(
            [
                Mailbox(address=f"user{number}@{DOMAIN}", domain=DOMAIN)
                for number in range(0, count, 2)
            ]
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE migrations_participant, migrations_submission")
        with within(10):
            counts_of(codes_of(self.campaign).values())
            rows = with_verdict(self.campaign).filter(verdict="new").order_by("address")
            list(rows[:50])
            self.assertEqual(rows.count(), count // 2)
