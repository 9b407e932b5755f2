"""No password is to be found anywhere from the review to the report of its copy."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.core import mail
from django.db import connection

from purelymanage.migrations.models import (
    Campaign,
    Job,
    Participant,
    Run,
    Server,
    Submission,
)
from purelymanage.migrations.operations.launching import join_late
from purelymanage.migrations.operations.secrets import open_secret
from tests.cast import CastTestCase
from tests.migrations.campaigns.people import OLD, add_campaign, add_people, hand_over
from tests.migrations.test_canary import holds

CANARY, LATER = "canary-Finch-41c7-perch", "canary-Wren-9d02-twig"
BEHALF = "canary-Siskin-77af-nest"
ANNA, BERT, CARL = (f"{it}@{OLD}" for it in ("anna", "bert", "carl"))


def rows() -> Iterator[tuple[str, bytes]]:
    """Yield each row of each table as text, task rows and mails among them."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT t::text FROM {name} t")  # noqa: S608  # no input
            for (row,) in cursor.fetchall():
                yield table, row.encode()


class LaunchCanaryTests(CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        server = Server.objects.create(
            name="Old", host="imap.old.example", created_by=self.adam
        )
        self.campaign = add_campaign(self.adam, server)
        self.client.force_login(self.adam)

    @pytest.mark.slow
    def test_no_password_is_anywhere(self) -> None:
        with self.assertLogs(level=logging.DEBUG) as logs:
            pages = list(self.walk())
        canaries = [CANARY, LATER, BEHALF]
        places = [*rows(), *pages]
        places += [("a log", it.encode()) for it in logs.output]
        places += [("a mail", str(it.message()).encode()) for it in mail.outbox]
        self.assertGreater(len(places), 50)
        self.assertEqual([it for it, data in places if holds(data, canaries)], [])
        # They are there all the same, for whoever has the keys.
        kept = {it.source_user: open_secret(it) for it in Job.objects.all()}
        self.assertEqual(kept, {ANNA: LATER, BERT: CANARY})

    def walk(self) -> Iterator[tuple[str, bytes]]:
        """Go the whole way, and yield what one sees on it."""
        path = f"/migrations/campaigns/{self.campaign.pk}/"
        (anna,) = add_people(self.campaign, ANNA)
        hand_over([anna], password=CANARY)
        (carl,) = add_people(self.campaign, CARL)
        wrong = {"password": BEHALF, "user": "a b"}
        behalf = f"{path}people/{carl.pk}/password/"
        yield behalf, self.client.post(behalf, wrong).content
        self.client.post(behalf, {"password": BEHALF})
        yield path, self.client.get(path).content
        launched = self.client.post(f"{path}launch/", {"begins": "plan"}, follow=True)
        yield "the batch", launched.content

        (bert,) = add_people(self.campaign, BERT)
        hand_over([bert], password=CANARY)
        Campaign.objects.update(takes_late_ones=True)
        self.assertTrue(join_late(participant=bert))
        Submission.objects.filter(participant=anna).delete()
        hand_over([anna], password=LATER)
        self.assertTrue(join_late(participant=anna))

        batch = f"/migrations/batches/{Job.objects.all()[0].batch_id}/"
        job = f"/migrations/jobs/{Participant.objects.get(pk=anna.pk).job_id}/"
        run = f"/migrations/runs/{Run.objects.all()[0].pk}/"
        report, table = f"{batch}report/", f"{batch}report.csv"
        for page in (path, batch, report, table, job, run, "/audit/"):
            answer = self.client.get(page, follow=True)
            self.assertEqual(answer.status_code, 200, page)
            yield page, getattr(answer, "content", b"") or answer.getvalue()
