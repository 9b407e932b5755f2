from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import TransactionTestCase

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from tests.databases import empty_database

BEFORE = [("migrations", "0002_there_at_first")]
AFTER = [("migrations", "0003_one_server_per_name")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.mark.slow
class OneServerPerNameTests(TransactionTestCase):
    def setUp(self) -> None:
        self.enterContext(empty_database())

    def test_servers_with_the_same_name_are_told_apart(self) -> None:
        migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("accounts"))
        olga = User.objects.create_user("olga@example.org", None, role=Role.OWNER)
        servers = migrate(BEFORE).get_model("migrations", "Server").objects
        long = "x" * 100
        for name in ("Old", "OLD", "old", "OLD (2)", long, long.upper()):
            servers.create(name=name, host="old.example", created_by_id=olga.pk)
        servers = migrate(AFTER).get_model("migrations", "Server").objects
        self.assertEqual(
            list(servers.order_by("pk").values_list("name", flat=True)),
            ["Old", "OLD (2)", "old (3)", "OLD (2) (2)", long, "X" * 96 + " (2)"],
        )
