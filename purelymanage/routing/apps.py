from __future__ import annotations

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "purelymanage.routing"

    def ready(self) -> None:
        from purelymanage.deletions import registry
        from purelymanage.domains.sync import register
        from purelymanage.routing import deletions, sync

        register(sync.PART)
        registry.register(
            "rule",
            deletions.HANDLER,
            mirrored=("rules", deletions.listed),
            restorer=deletions.HANDLER,
        )
        registry.register_precaution("route", deletions.Route())
        registry.register_companion(self.name, deletions.COMPANION)
