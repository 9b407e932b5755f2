from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.following import follow
from purelymanage.routing.reading import account_for
from purelymanage.routing.simulation.answers import answer
from purelymanage.routing.simulation.drawing import draw
from purelymanage.routing.simulation.forms import FollowForm, OriginForm
from purelymanage.routing.simulation.sources import sources


@require_safe
@requires(Right.SEE_ROUTING)
def simulator(request: AuthenticatedHttpRequest) -> HttpResponse:
    asks_way = "address" in request.GET
    asks_origin = "mailbox" in request.GET and not asks_way
    follow_form = FollowForm(request.GET if asks_way else None, user=request.user)
    origin_form = OriginForm(request.GET if asks_origin else None, user=request.user)
    account = account_for(request.user)
    context: dict[str, Any] = {}
    if origin_form.is_valid():
        found = sources(account, origin_form.cleaned_data["mailbox"])
        context = {"sources": found, "asked": found.goal}
    elif follow_form.is_valid():
        walk = follow(account, follow_form.cleaned_data["address"])
        context = {
            "answer": answer(account, walk),
            "pictures": draw(walk),
            "asked": walk.start.address,
        }
    elif not asks_way and not asks_origin:
        context = {"example": _example(account)}
    forms = {"follow_form": follow_form, "origin_form": origin_form}
    return render(
        request,
        "routing/simulator.html",
        context | forms | {"is_limited": request.user.domain_scope is not None},
        status=422 if follow_form.errors or origin_form.errors else 200,
    )


def _example(account: Account) -> str:
    """Return an address of this account worth following, empty if there is none."""
    named = (it for it in account.rules if it.match_user and len(it.targets) > 1)
    rule = next(named, None) or next(iter(account.rules), None)
    if rule:
        return f"{rule.match_user or 'somebody'}@{rule.domain}"
    return min(account.mailboxes, default="")
