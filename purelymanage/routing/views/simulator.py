from __future__ import annotations

from typing import Any

from django.db.models import Min
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.model.following import follow
from purelymanage.routing.models import Rule
from purelymanage.routing.reading import part_for, part_towards
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
    context: dict[str, Any] = {}
    if origin_form.is_valid():
        goal = origin_form.cleaned_data["mailbox"]
        found = sources(part_towards(request.user, goal), goal)
        context = {"sources": found, "asked": found.goal}
    elif follow_form.is_valid():
        address = follow_form.cleaned_data["address"]
        account = part_for(request.user, addresses=[address])
        walk = follow(account, address)
        context = {
            "answer": answer(account, walk),
            "pictures": draw(walk),
            "asked": walk.start.address,
        }
    elif not asks_way and not asks_origin:
        context = {"example": _example(request.user)}
    forms = {"follow_form": follow_form, "origin_form": origin_form}
    return render(
        request,
        "routing/simulator.html",
        context | forms | {"is_limited": request.user.domain_scope is not None},
        status=422 if follow_form.errors or origin_form.errors else 200,
    )


def _example(user: User) -> str:
    """Return an address of this account worth following, empty if there is none."""
    rules = Rule.objects.visible_to(user).present().order_by("remote_id")
    named = rules.exclude(match_user="").filter(targets__len__gt=1)
    if rule := named.first() or rules.first():
        return f"{rule.match_user or 'somebody'}@{rule.domain}".lower()
    mailboxes = Mailbox.objects.visible_to(user).present()
    return mailboxes.aggregate(first=Min("address"))["first"] or ""
