"""The rules of a domain, for its page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.domains.related import Count
from purelymanage.figures import thin
from purelymanage.routing.models import Rule


def rules_of(name: str, user: User) -> Count | None:
    if not user.may(Right.SEE_ROUTING):
        return None
    number = Rule.objects.visible_to(user).present().filter(domain=name).count()
    return Count(
        "rules",
        number,
        f"{thin(number)} rule{'' if number == 1 else 's'}",
        f"{reverse('routing:rule-list')}?{urlencode({'domain': name})}",
        "route",
    )
