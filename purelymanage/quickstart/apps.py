from __future__ import annotations

from django.apps import AppConfig


class QuickstartConfig(AppConfig):
    name = "purelymanage.quickstart"
