from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.management import call_command
from django.db.models.signals import post_migrate

from purelymanage import sealed
from purelymanage.wording import use_plain_words


class AccountsConfig(AppConfig):
    name = "purelymanage.accounts"

    def import_models(self) -> None:
        use_plain_words()
        super().import_models()

    def ready(self) -> None:
        from purelymanage.accounts import signals  # noqa: F401  # connects itself
        from purelymanage.accounts.models import Organisation
        from purelymanage.accounts.security import sealing
        from purelymanage.audit.checkpoints import register_address

        sealed.register(sealing.SECOND_FACTORS)
        register_address(lambda: Organisation.objects.present().checkpoint_address)
        # Sign-in limits live in the cache, and the cache is a table.
        post_migrate.connect(_create_cache_table, sender=self)


def _create_cache_table(**_: Any) -> None:
    call_command("createcachetable", verbosity=0)
