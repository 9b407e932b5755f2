from __future__ import annotations

from django.apps import AppConfig


class MailboxesConfig(AppConfig):
    name = "purelymanage.mailboxes"

    def ready(self) -> None:
        from purelymanage.deletions import registry
        from purelymanage.domains.related import register_count, register_symbolic
        from purelymanage.domains.sync import register
        from purelymanage.mailboxes import deletions, followers, renamed, sync
        from purelymanage.mailboxes.models import Change
        from purelymanage.mailboxes.of_domain import mailboxes_of, symbolic_mailboxes
        from purelymanage.mailboxes.operations import suspension
        from purelymanage.mailboxes.operations.changing import RESOLVERS

        register(sync.PART)
        register_count(mailboxes_of)
        register_symbolic(symbolic_mailboxes)
        followers.register_follower("mailboxes", renamed.FOLLOWER)
        RESOLVERS[Change.Kind.SUSPENSION] = suspension.finish_suspension
        registry.register(
            "mailbox",
            deletions.MailboxHandler(),
            mirrored=("users", deletions.listed),
        )
        registry.register_precaution("lock", deletions.Lock())
        registry.register_companion(self.name, deletions.COMPANION)
