"""Runs that wait, for tests of the queue that copy nothing."""

from __future__ import annotations

from typing import Any

from purelymanage.migrations.models import Batch, Job, QueueRules, Run, Server
from tests.cast import CastTestCase
from tests.migrations.cases import ADDRESS


class WithRuns(CastTestCase):
    server: Server

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.server = cls.add_server("Old")

    @classmethod
    def add_server(cls, name: str, **columns: Any) -> Server:
        host = f"{name.lower()}.example"
        return Server.objects.create(
            name=name, host=host, created_by=cls.olga, **columns
        )

    def add_batch(self, name: str, **columns: Any) -> Batch:
        columns = {"confirmed_at": "2026-11-01T00:00Z"} | columns
        return Batch.objects.create(
            name=name, server=self.server, created_by=self.adam, **columns
        )

    def add(
        self, source: str, job: dict[str, Any] | None = None, **columns: Any
    ) -> Run:
        wishes: dict[str, Any] = {
            "server": self.server,
            "destination": ADDRESS,
            "destination_domain": "shop.example",
        }
        made = Job.objects.create(
            source_user=source, created_by=self.adam, **wishes | (job or {})
        )
        return Run.objects.create(job=made, pair=made.pair, dry_run=True, **columns)

    def handed(self) -> list[str]:
        runs = Run.objects.filter(handed_at__isnull=False).order_by("queued_at", "pk")
        return list(runs.values_list("job__source_user", flat=True))

    def slots(self, count: int) -> None:
        QueueRules.objects.update_or_create(pk=1, defaults={"parallel_runs": count})
