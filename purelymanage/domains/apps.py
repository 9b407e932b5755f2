from __future__ import annotations

from django.apps import AppConfig


class DomainsConfig(AppConfig):
    name = "purelymanage.domains"

    def ready(self) -> None:
        from purelymanage.domains import mirror
        from purelymanage.domains.sync import register

        register(mirror.PART)
