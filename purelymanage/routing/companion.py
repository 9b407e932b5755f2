"""What rules do when they, or their domain, are deleted or kept after all."""

from __future__ import annotations

from django.utils import timezone

from purelymanage.deletions.models import Kind
from purelymanage.deletions.registry import Companion
from purelymanage.routing.models import Expiry, Rule
from purelymanage.routing.operations import expiry


def _forget(kind: str, key: str) -> None:
    if kind == Kind.DOMAIN:
        Rule.objects.present().filter(domain=key).update(gone_at=timezone.now())
        Expiry.objects.filter(domain=key).delete()
    elif kind == Kind.RULE:
        Expiry.objects.of(int(key)).delete()


COMPANION = Companion(forget=_forget, freeze=expiry.link, keep=expiry.keep)
