"""What lists of domains and of waiting additions are made of."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from purelymanage.domains.dns.names import unicode_name
from purelymanage.domains.models import Addition, Domain, DomainQuerySet
from purelymanage.domains.models.additions import AdditionQuerySet

# For so long the list shows what came to nothing.
REMEMBERED = timedelta(days=7)


def matching(domains: DomainQuerySet, words: str) -> DomainQuerySet:
    """Return the domains whose name contains each of the words."""
    found = domains
    for word in words.lower().split():
        if word.isascii():
            found = found.search(word)
            continue
        foreign = domains.filter(name__contains="xn--").values_list("name", flat=True)
        found = found.filter(
            name__in=[name for name in foreign if word in unicode_name(name)]
        )
    return found


def given_up(additions: AdditionQuerySet) -> AdditionQuerySet:
    """Return those that waited lately in vain, unless somebody has tried anew."""
    later = Addition.objects.filter(
        name=OuterRef("name"), requested_at__gt=OuterRef("requested_at")
    )
    here = Domain.objects.present().filter(name=OuterRef("name"))
    return additions.filter(
        ~Exists(later),
        ~Exists(here),
        state__in=[Addition.State.EXPIRED, Addition.State.FAILED],
        looked_at__isnull=False,  # it waited; the rest was told at once
        settled_at__gte=timezone.now() - REMEMBERED,
    ).newest_first()
