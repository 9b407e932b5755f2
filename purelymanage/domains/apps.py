from __future__ import annotations

from django.apps import AppConfig


class DomainsConfig(AppConfig):
    name = "purelymanage.domains"

    def ready(self) -> None:
        from purelymanage.accounts import domain_names
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
