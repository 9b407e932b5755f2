"""Bulk changes of rules that are started and worked through."""

from __future__ import annotations

from typing import Any
from unittest import mock

from purelymanage.accounts.models import User
from purelymanage.deletions.models import PendingDeletion
from purelymanage.mailboxes.bulk import running
from purelymanage.purelymail import client as client_module
from purelymanage.routing.bulk.rows import WORK
from purelymanage.routing.models import RuleBulk, RuleBulkRow
from tests.sandbox import SyncedTestCase


class RuleBulkTestCase(SyncedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client_module, "PAUSES", ()))
        self.client.force_login(self.adam)

    def listed(self) -> dict[str, list[str]]:
        """Return where the mail of each pattern goes at PurelyMail."""
        rules = self.remote("listRoutingRules")["rules"]
        return {
            f"{it['matchUser']}{'*' if it['prefix'] else ''}@{it['domainName']}": sorted(
                it["targetAddresses"]
            )
            for it in rules
        }

    def draft(self, path: str, form: dict[str, Any]) -> RuleBulk:
        r = self.client.post(path, form)
        self.assertEqual(r.status_code, 302, r.content.decode()[-3000:])
        return RuleBulk.objects.latest("pk")

    def run_bulk(self, bulk: RuleBulk, **form: str) -> dict[str, str]:
        """Start it by its page, work it off, and return the state of each row."""
        r = self.client.post(f"/routing/bulk/{bulk.pk}/start/", form)
        self.assertRedirects(r, f"/routing/bulk/{bulk.pk}/")
        return self.work(bulk)

    def work(self, bulk: RuleBulk) -> dict[str, str]:
        for _ in range(20):
            bulk.refresh_from_db()
            if not bulk.is_running:
                break
            running.run_slice(WORK, bulk_id=bulk.pk, ticket=bulk.attempt)
        return self.states(bulk)

    def states(self, bulk: RuleBulk) -> dict[str, str]:
        return dict(bulk.rows.values_list("pattern", "state"))

    def verdicts(self, bulk: RuleBulk) -> dict[str, str]:
        return dict(bulk.rows.values_list("pattern", "verdict"))

    def row(self, bulk: RuleBulk, pattern: str) -> RuleBulkRow:
        return bulk.rows.get(pattern=pattern)

    def queued(self, actor: User) -> set[str]:
        waiting = PendingDeletion.objects.open().filter(requested_by=actor)
        return set(waiting.values_list("label", flat=True))
