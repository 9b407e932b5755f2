from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class MigrationsConfig(AppConfig):
    name = "purelymanage.migrations"

    def ready(self) -> None:
        from purelymanage.broker import pulse
        from purelymanage.deletions import registry
        from purelymanage.migrations import deletions

        registry.register_companion(self.name, deletions.COMPANION)
        pulse.connect(resume_abandoned, dispatch_uid=self.name)


def resume_abandoned(*, cluster: str, **_: Any) -> None:
    """Resume what a dead worker left as soon as another could, not by the minute."""
    from purelymanage.migrations import queue
    from purelymanage.migrations.operations import settling

    if cluster == queue.CLUSTER:
        settling.give_back_abandoned()
