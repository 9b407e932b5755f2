"""What a page has seen passes with each step, in whatever order steps are committed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.migrations.happenings import mark_of_all, mark_of_batch
from purelymanage.migrations.models import Batch, Job, Run, Server
from tests.migrations.batch_cases import add_batch, add_jobs, add_runs

LATE = "late"


@pytest.mark.slow
class HappeningsTests(TransactionTestCase):
    """One step is made over a connection of its own, and committed after another."""

    def setUp(self) -> None:
        self.owner = User.objects.create_user("olga@example.org", None, role=Role.OWNER)
        server = Server.objects.create(
            name="Old", host="old.example", created_by=self.owner
        )
        self.batch = add_batch(self.owner, server)
        self.first, self.second, *_ = add_jobs(self.batch, 2)
        connections[LATE] = connection.copy(LATE)
        self.addCleanup(connections[LATE].close)

    def marks(self) -> tuple[str, str]:
        return mark_of_all(self.owner), mark_of_batch(self.owner, self.batch.pk)

    def assert_all_new(self, seen: tuple[str, str]) -> None:
        for before, now in zip(seen, self.marks(), strict=True):
            self.assertNotEqual(before, now)

    def test_a_copy_that_came_earlier_is_committed_later(self) -> None:
        with transaction.atomic(LATE):
            Run.objects.using(LATE).create(
                job=self.first, pair=self.first.pair, dry_run=True
            )
            add_runs([self.second], Run.State.QUEUED)
            seen = self.marks()
        self.assert_all_new(seen)

    def test_a_copy_that_ended_earlier_is_committed_later(self) -> None:
        add_runs([self.first], Run.State.QUEUED)
        with transaction.atomic(LATE):
            Run.objects.using(LATE).update(
                state=Run.State.STOPPED, finished_at=timezone.now()
            )
            add_runs([self.second], Run.State.DONE)
            seen = self.marks()
        self.assert_all_new(seen)

    def test_a_login_that_was_tried_earlier_is_committed_later(self) -> None:
        now = timezone.now()
        first, second = (
            Job.objects.filter(pk=it.pk) for it in (self.first, self.second)
        )
        first.update(login_tried_at=now - timedelta(hours=1))
        with transaction.atomic(LATE):
            first.using(LATE).update(login_tried_at=now - timedelta(seconds=1))
            second.update(login_tried_at=now)
            seen = mark_of_batch(self.owner, self.batch.pk)
        self.assertNotEqual(seen, mark_of_batch(self.owner, self.batch.pk))

    def test_nothing_is_new_where_nothing_has_happened(self) -> None:
        add_runs([self.first], Run.State.QUEUED)
        seen = self.marks()
        Batch.objects.update(name="Called otherwise")
        self.assertEqual(seen, self.marks())
