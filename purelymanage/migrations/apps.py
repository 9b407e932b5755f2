from __future__ import annotations

from django.apps import AppConfig


class MigrationsConfig(AppConfig):
    name = "purelymanage.migrations"

    def ready(self) -> None:
        from purelymanage.deletions import registry
        from purelymanage.migrations import deletions

        registry.register_companion(self.name, deletions.COMPANION)
