from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models import Model, QuerySet


class MigrationsConfig(AppConfig):
    name = "purelymanage.migrations"

    def ready(self) -> None:
        from django.conf import settings

        from purelymanage.audit.links import register_page
        from purelymanage.broker import pulse
        from purelymanage.deletions import registry
        from purelymanage.domains.related import register_count, register_mover
        from purelymanage.mailboxes.followers import register_follower
        from purelymanage.mailboxes.operations.app_passwords import register_in_use
        from purelymanage.mailboxes.related import register_section
        from purelymanage.migrations import deletions, engines, following, of_mailbox
        from purelymanage.migrations.of_domain import copies_of, is_move_planned

        register_page("job", "migrations:job-detail")
        register_page("batch", "migrations:batch-detail")
        register_page("campaign", "migrations:campaign-detail")
        register_count(copies_of)
        register_mover(is_move_planned)
        register_in_use(in_use)
        register_follower("migrations", following.FOLLOWER)
        register_section(of_mailbox.copies_of)
        registry.register_companion(self.name, deletions.COMPANION)
        engines.imapsync_name = lambda: settings.IMAPSYNC_BIN
        pulse.connect(begin_what_is_due, dispatch_uid=self.name)


def in_use() -> QuerySet[Model, int]:
    """Return which app passwords the running copies need."""
    from purelymanage.migrations.models import RunPassword

    return RunPassword.objects.in_use().values_list("app_password", flat=True)


def begin_what_is_due(*, cluster: str, **_: Any) -> None:
    """Begin what falls due by the clock, and what a dead worker left, within a second."""
    from purelymanage.migrations import queue
    from purelymanage.migrations.operations import logins, settling

    if cluster == queue.CLUSTER:
        settling.give_back_abandoned()
        queue.take_back_lost()
        queue.dispatch()
        logins.go_on()
