from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from purelymanage.audit.models import Notice
from purelymanage.dashboard.navigation import entries
from purelymanage.dashboard.setup.steps import is_asked
from purelymanage.domains.models import SyncRun


def navigation(request: HttpRequest) -> dict[str, Any]:
    """What the side bar and the page head need; asked for only where it is drawn."""
    # A request that is refused early has no user yet, and its page is drawn as well.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "sections": SimpleLazyObject(partial(entries, user, request.path)),
        "unseen_notices": SimpleLazyObject(Notice.objects.of(user).unseen().count),
        "freshness": SimpleLazyObject(SyncRun.objects.freshness),
        "is_setting_up": SimpleLazyObject(partial(is_asked, user)),
    }
