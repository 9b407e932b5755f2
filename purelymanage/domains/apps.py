from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class DomainsConfig(AppConfig):
    name = "purelymanage.domains"

    def ready(self) -> None:
        from purelymanage.accounts import domain_names
        from purelymanage.broker import pulse
        from purelymanage.deletions import registry
        from purelymanage.domains import deletions, mirror, ownership
        from purelymanage.domains.models import Domain
        from purelymanage.domains.sync import register

        register(mirror.PART)
        register(ownership.PART)
        registry.register(
            "domain",
            deletions.DomainHandler(),
            mirrored=("domains", deletions.listed),
        )
        domain_names.register(
            lambda: Domain.objects.present().values_list("name", flat=True)
        )
        pulse.connect(look_soon, dispatch_uid=self.name)


def look_soon(*, cluster: str, **_: Any) -> None:
    """Look for what has just been asked for more often than by the minute."""
    from purelymanage.domains.operations import additions

    if cluster == "default":
        additions.look_soon()
