from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import TransactionTestCase

from purelymanage.audit.models import NoticeCursor
from purelymanage.audit.verification import walk
from tests.audit.test_chain import write
from tests.databases import empty_database

BEFORE = [("audit", "0002_outgoing_mail")]
HALF = [("audit", "0003_chain")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.mark.slow
class FillChainTests(TransactionTestCase):
    def setUp(self) -> None:
        # To undo those of all other apps as well would take half a minute.
        self.enterContext(empty_database())

    def to_the_end(self) -> None:
        migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("audit"))

    def test_older_entries_are_chained_in_their_order(self) -> None:
        entries = migrate(BEFORE).get_model("audit", "Entry").objects
        for number in range(1_200):
            entries.create(
                event="mailbox.created",
                actor_name="the panel",
                target=f"bücher{number}@example.org",
                details={"reason": "“so”", "a": "b"},
                address="2001:db8::ff" if number % 2 else None,
            )
        self.to_the_end()
        self.assertEqual((walk().problem, walk().position.sequence), ("", 1_200))
        write(3)
        self.assertEqual((walk().problem, walk().position.sequence), ("", 1_203))
        # Nobody is told of what happened before there were notices.
        self.assertEqual(NoticeCursor.objects.get().sequence, 1_200)

    def test_it_can_be_repeated_and_undone(self) -> None:
        self.to_the_end()
        write(3)
        entries = migrate(HALF).get_model("audit", "Entry").objects
        entries.create(event="mailbox.created", actor_name="the panel", target="x")
        self.to_the_end()
        self.assertEqual((walk().problem, walk().position.sequence), ("", 4))
