from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "purelymanage.audit"

    def ready(self) -> None:
        from purelymanage.audit import checks  # noqa: F401  # registers itself
