from __future__ import annotations

from django.apps import AppConfig


class MailboxesConfig(AppConfig):
    name = "purelymanage.mailboxes"

    def ready(self) -> None:
        from purelymanage.domains.sync import register
        from purelymanage.mailboxes import sync

        register(sync.PART)
