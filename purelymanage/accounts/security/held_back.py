"""Notes in the audit log that the limits of failed sign-ins hold somebody back."""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Agent

LIMIT = {"app": "allauth.account", "action": "login_failed"}


def note_held_back(request: HttpRequest, *, key: str, email: str) -> None:
    """Record it once for each limit that is reached and as long as that one counts.

    `key` is what allauth counts the failures of an account by.
    """
    for rate in ratelimit.get_rates(**LIMIT):
        single = {"rate": rate, "key": key, **LIMIT}
        if ratelimit._consume_single_rate(request, dry_run=True, **single):
            continue
        noted = f"held_back:{ratelimit.get_cache_key(request, **single)}"
        with transaction.atomic():
            if cache.add(noted, "y", timeout=rate.duration):
                log.record(
                    Event.SIGN_IN_HELD_BACK, actor=_actor(request), target=email[:254]
                )
        return


def _actor(request: HttpRequest) -> Actor:
    return request.user if request.user.is_authenticated else Agent.STRANGER
