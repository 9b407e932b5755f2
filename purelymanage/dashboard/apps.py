from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DashboardConfig(AppConfig):
    name = "purelymanage.dashboard"

    def ready(self) -> None:
        from purelymanage.dashboard import sync
        from purelymanage.dashboard.credit import newest_amount
        from purelymanage.domains.sync import register
        from purelymanage.migrations.planning import register_credit
        from purelymanage.schedules import write_schedules

        register(sync.PART)
        register_credit(newest_amount)

        # The last app but one: every table that a task needs is there by now.
        post_migrate.connect(write_schedules, sender=self)
