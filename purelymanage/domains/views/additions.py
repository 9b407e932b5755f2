from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains import operations
from purelymanage.domains.models import Addition
from purelymanage.domains.searching import given_up
from purelymanage.errors import Refused

MOST_SHOWN = 50


@never_cache
@require_safe
@requires(Right.SEE_DOMAINS)
def addition_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Answer the part of the list that waits for domains to be added."""
    if not request.htmx:
        return redirect("domains:domain-list")
    context = additions_context(request)
    response = render(request, "domains/_additions.html", context)
    if request.GET.get("open") != str(len(context["additions"])):
        response["HX-Trigger"] = "synced"  # what was added stands in the list now
    return response


@require_POST
@requires(Right.MANAGE)
def cancel_addition(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    mine = Addition.objects.visible_to(request.user)
    addition = get_object_or_404(mine, pk=pk)
    try:
        operations.cancel_addition(addition=addition, actor=request.user)
    except Refused as exc:
        said, is_done = str(exc), False
    else:
        said, is_done = f"{addition.shown} is not waited for any more.", True
    if not request.htmx:
        (messages.success if is_done else messages.warning)(request, said)
        return redirect("domains:domain-list")
    context = additions_context(request) | {"said": said, "is_done": is_done}
    status = 200 if is_done else 422
    return render(request, "domains/_additions.html", context, status=status)


def additions_context(request: AuthenticatedHttpRequest) -> dict[str, Any]:
    mine = Addition.objects.visible_to(request.user)
    waiting = mine.open().select_related("requested_by").newest_first()
    return {
        "additions": list(waiting[:MOST_SHOWN]),
        "given_up": list(given_up(mine)[:MOST_SHOWN]),
        "may_manage": request.user.may(Right.MANAGE),
    }
