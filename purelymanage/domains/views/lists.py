from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains import operations
from purelymanage.domains.models import Domain, DomainQuerySet, Health
from purelymanage.domains.presentation.rows import row_of
from purelymanage.domains.searching import matching
from purelymanage.domains.views.additions import additions_context
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.http import asked, page_or_partial

PER_PAGE = 50
WAITING = "waiting"
FILTERS = [
    (Health.State.BROKEN, "Broken"),
    (Health.State.ATTENTION, "Needs attention"),
    (Health.State.GOOD, "Healthy"),
    (Health.State.UNKNOWN, "Could not look"),
    (Health.State.UNSEEN, "Not looked at yet"),
    ("disputed", "PurelyMail disagrees"),
    ("recovery", "Account recovery on"),
    (WAITING, "Waiting to be added"),
]


@require_safe
@requires(Right.SEE_DOMAINS)
def domain_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    context = list_context(request)
    return page_or_partial(request, "domains/domain_list.html", context)


@require_POST
@requires(Right.SEE_DOMAINS)
def check_domains(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Have one domain, the chosen ones or all looked at now."""
    try:
        number = operations.check_now(domains=_chosen(request), actor=request.user)
    except Refused as exc:
        said, is_done = str(exc), False
    else:
        what = "1 domain is" if number == 1 else f"{thin(number)} domains are"
        said, is_done = f"{what} looked at now.", True
    if not request.htmx:
        (messages.success if is_done else messages.warning)(request, said)
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(f"{reverse('domains:domain-list')}{query}")
    context = list_context(request) | {"said": said, "is_done": is_done}
    status = 200 if is_done else 422
    return render(request, "domains/_domain_list.html", context, status=status)


def list_context(request: AuthenticatedHttpRequest) -> dict[str, Any]:
    words, state = asked(request, "q"), asked(request, "state")
    mine = Domain.objects.visible_to(request.user).present()
    found = _in_state(matching(mine, words), state)
    page = Paginator(
        found.for_grid().with_deletion().worst_seen_first(), PER_PAGE
    ).get_page(asked(request, "page"))
    rows = [row_of(domain) for domain in page]
    return {
        "page": page,
        "rows": rows,
        "is_awaited": any(row.is_awaited for row in rows),
        "picked": request.GET.getlist("domain"),
        "q": words,
        "state": state,
        "filters": FILTERS,
        "filtered": bool(words or state),
        "only_additions": state == WAITING,
        "may_manage": request.user.may(Right.MANAGE),
        **additions_context(request),
    }


def _in_state(domains: DomainQuerySet, state: str) -> DomainQuerySet:
    if state == "disputed":
        return domains.disputed()
    if state == "recovery":
        return domains.filter(allow_account_reset=True)
    if state == WAITING:
        return domains.none()
    if state in Health.State.values:
        return domains.in_state(state)
    return domains


def _chosen(request: AuthenticatedHttpRequest) -> DomainQuerySet:
    mine = Domain.objects.visible_to(request.user)
    if "all" in request.POST:
        return mine
    only = request.POST.get("only")
    names = [only] if only else request.POST.getlist("domain")
    return mine.filter(name__in=[name.replace("\0", "") for name in names])
