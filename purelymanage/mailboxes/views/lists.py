from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes.models import Mailbox

PER_PAGE = 50
SORTS = {
    "address": ["address"],
    "-address": ["-address"],
    "added": ["first_seen_at", "address"],
    "-added": ["-first_seen_at", "address"],
}


@require_safe
@requires(Right.SEE_MAILBOXES)
def mailbox_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    words, domain = asked(request, "q"), asked(request, "domain")
    two_factor, sort = asked(request, "two_factor"), asked(request, "sort")
    mine = Mailbox.objects.visible_to(request.user).present()
    found = mine.search(words).with_two_factor(two_factor)
    if domain:
        found = found.filter(domain=domain)
    sort = sort if sort in SORTS else "address"
    found = found.with_deletion().order_by(*SORTS[sort])
    page = Paginator(found, PER_PAGE).get_page(asked(request, "page"))
    return page_or_partial(
        request,
        "mailboxes/mailbox_list.html",
        {
            "page": page,
            "domains": mine.order_by("domain")
            .values_list("domain", flat=True)
            .distinct(),
            "q": words,
            "domain": domain,
            "two_factor": two_factor,
            "sort": sort,
            "filtered": bool(words or domain or two_factor),
            "may_create": request.user.may(Right.HANDLE_MAILBOXES),
            "may_copy": request.user.may(Right.MANAGE),
            "may_delete": request.user.may(Right.DELETE),
        },
    )
