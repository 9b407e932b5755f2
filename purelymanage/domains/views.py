from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains.models import Domain
from purelymanage.http import asked, page_or_partial

PER_PAGE = 50


@require_safe
@requires(Right.SEE_DOMAINS)
def domain_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    words, health = asked(request, "q"), asked(request, "health")
    found = Domain.objects.visible_to(request.user).present().search(words)
    if health == "healthy":
        found = found.healthy()
    elif health == "unhealthy":
        found = found.unhealthy()
    page = Paginator(found.worst_first(), PER_PAGE).get_page(asked(request, "page"))
    return page_or_partial(
        request,
        "domains/domain_list.html",
        {
            "page": page,
            "q": words,
            "health": health,
            "filtered": bool(words or health),
        },
    )
