from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from purelymanage.deletions import registry
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Job
from purelymanage.migrations.operations.runs import queue_run
from purelymanage.routing.models import Rule
from tests.account import add_job, add_server, fill_account
from tests.deletions.cases import BOX, DeletionTestCase
from tests.proof import prove

BOXES = [f"box{number}@many.example" for number in range(40)]


class ManyTests(DeletionTestCase):
    def setUp(self) -> None:
        super().setUp()
        fill_account(rows=len(BOXES), domain="many.example")
        self.client.force_login(self.olga)
        prove(self.client)

    def queries(self, boxes: list[str]) -> int:
        with CaptureQueriesContext(connection) as queries:
            r = self.client.get("/deletions/new/mailbox/", {"key": boxes})
        self.assertContains(r, boxes[-1])
        return len(queries)

    def test_many_take_as_many_queries_as_two(self) -> None:
        self.queries(BOXES[:2])
        self.assertEqual(self.queries(BOXES), self.queries(BOXES[:2]))

    def test_of_each_is_said_what_is_said_of_it_alone(self) -> None:
        first, second, *_ = BOXES
        ways = [{"type": "email", "target": it} for it in (first, BOX)]
        Mailbox.objects.filter(address__in=BOXES[2:4]).update(recovery_methods=ways)
        job = add_job(add_server(self.olga))
        Job.objects.update(
            destination=second, source_secret="sealed", secret_expires_at=self.now
        )
        job.refresh_from_db()
        queue_run(job=job, dry_run=True, actor=self.adam)
        Rule.objects.filter(domain="many.example").update(targets=[first, BOX])
        self.olga.email = second.capitalize()
        self.olga.save()

        account = registry.mirrored_account()
        keys = [first, BOX, "nobody@many.example", second]
        together = registry.impacts_of("mailbox", keys, account)
        alone = [registry.impact_of("mailbox", it, account) for it in keys]
        self.assertEqual(together, alone)
        told = [it.summary if it else "" for it in together]
        self.assertIn("2 mailboxes recover their passwords through it", told[0])
        self.assertIn("point to it", told[0])
        self.assertIn("2 mailboxes recover their passwords through it", told[1])
        self.assertEqual(told[2], "")
        self.assertIn("1 copy into it", told[3])
        self.assertIn("1 person signs in here with it", told[3])
        self.assertNotIn("recover", told[3])
