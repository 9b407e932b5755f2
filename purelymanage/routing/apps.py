from __future__ import annotations

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "purelymanage.routing"

    def ready(self) -> None:
        from purelymanage.domains.sync import register
        from purelymanage.routing import sync

        register(sync.PART)
