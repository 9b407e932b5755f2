from __future__ import annotations

from django.apps import AppConfig


class MigrationsConfig(AppConfig):
    name = "purelymanage.migrations"
