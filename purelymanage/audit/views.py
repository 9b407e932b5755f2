from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from purelymanage.audit.models import Entry, Viewer
from purelymanage.http import HtmxHttpRequest, asked, page_or_partial

PER_PAGE = 50


@require_safe
def entry_list(request: HtmxHttpRequest) -> HttpResponse:
    # Rights are checked in the project's urls.py: this app knows nothing of roles.
    viewer: Viewer = request.user  # type: ignore[assignment]  # signed in by then
    words = asked(request, "q")
    entries = Entry.objects.visible_to(viewer).search(words)
    page = Paginator(entries.order_by("-recorded_at", "-id"), PER_PAGE).get_page(
        asked(request, "page")
    )
    return page_or_partial(request, "audit/entry_list.html", {"page": page, "q": words})
