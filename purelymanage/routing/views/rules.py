from __future__ import annotations

from collections.abc import Iterable

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.models import Rule

PER_PAGE = 100


@require_safe
@requires(Right.SEE_ROUTING)
def rule_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    words, domain = asked(request, "q"), asked(request, "domain")
    mine = Rule.objects.visible_to(request.user).present()
    found = mine.search(words)
    if domain:
        found = found.filter(domain=domain)
    page = Paginator(found.with_deletion().strongest_first(), PER_PAGE).get_page(
        asked(request, "page")
    )
    return page_or_partial(
        request,
        "routing/rule_list.html",
        {
            "page": page,
            "domains": mine.order_by("domain")
            .values_list("domain", flat=True)
            .distinct(),
            "mailboxes": _mailboxes_of(page.object_list, request.user),
            "q": words,
            "domain": domain,
            "filtered": bool(words or domain),
            "may_delete": request.user.may(Right.DELETE),
        },
    )


@require_safe
@requires(Right.SEE_ROUTING)
def rule_detail(request: AuthenticatedHttpRequest, remote_id: int) -> HttpResponse:
    rules = Rule.objects.visible_to(request.user).with_deletion()
    rule = get_object_or_404(rules, remote_id=remote_id)
    context = {
        "rule": rule,
        "mailboxes": _mailboxes_of([rule], request.user),
        "history": history_of(rule.pattern, request.user),
        "may_delete": request.user.may(Right.DELETE),
    }
    return render(request, "routing/rule_detail.html", context)


def _mailboxes_of(rules: Iterable[Rule], user: User) -> set[str]:
    """Return which addresses of these rules are mailboxes, in one query."""
    addresses = {rule.pattern for rule in rules}
    addresses.update(target for rule in rules for target in rule.targets)
    mine = Mailbox.objects.visible_to(user).present()
    return set(mine.filter(address__in=addresses).values_list("address", flat=True))
