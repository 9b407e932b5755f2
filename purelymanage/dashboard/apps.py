from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import request_finished
from django.db.models.signals import post_migrate


class DashboardConfig(AppConfig):
    name = "purelymanage.dashboard"

    def ready(self) -> None:
        from django_q.signals import post_execute_in_worker

        from purelymanage import task_context
        from purelymanage.broker import pulse
        from purelymanage.dashboard import sync, watching
        from purelymanage.dashboard.credit import newest_amount
        from purelymanage.domains.sync import register
        from purelymanage.migrations.planning import register_credit
        from purelymanage.schedules import bring_back, write_schedules

        task_context.connect()
        # When what was done is over, and its transaction as well.
        for over in (request_finished, post_execute_in_worker, pulse):
            over.connect(watching.write_down_errors, dispatch_uid=f"{self.name}.errors")
        pulse.connect(watching.report, dispatch_uid=f"{self.name}.report")
        pulse.connect(bring_back, dispatch_uid=f"{self.name}.clock")
        register(sync.PART)
        register_credit(newest_amount)

        # The last app but one: every table that a task needs is there by now.
        post_migrate.connect(write_schedules, sender=self)
