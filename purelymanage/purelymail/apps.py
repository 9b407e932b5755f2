from __future__ import annotations

from django.apps import AppConfig


class PurelymailConfig(AppConfig):
    name = "purelymanage.purelymail"
