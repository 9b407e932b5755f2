from __future__ import annotations

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "purelymanage.routing"

    def ready(self) -> None:
        from purelymanage.deletions import registry
        from purelymanage.domains.related import register_count
        from purelymanage.domains.sync import register
        from purelymanage.mailboxes.bulk.beforehand import register_beforehand
        from purelymanage.mailboxes.followers import register_errands, register_follower
        from purelymanage.mailboxes.hints import register_takers
        from purelymanage.mailboxes.related import register_section
        from purelymanage.routing import companion, deletions, hints, of_mailbox, sync
        from purelymanage.routing.of_domain import rules_of
        from purelymanage.routing.operations import following
        from purelymanage.routing.operations.snapshots import remember_before_bulk

        register(sync.PART)
        register_count(rules_of)
        register_follower("routing", following.FOLLOWER)
        register_errands("routing", following.FOLLOWER)
        register_takers(hints.takers)
        register_section(of_mailbox.rules_of)
        registry.register(
            "rule",
            deletions.HANDLER,
            mirrored=("rules", deletions.listed),
            restorer=deletions.HANDLER,
        )
        registry.register_precaution("route", deletions.Route())
        registry.register_companion(self.name, companion.COMPANION)
        register_beforehand(remember_before_bulk)
