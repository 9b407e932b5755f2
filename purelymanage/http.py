from __future__ import annotations

import hashlib
import time
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    htmx: HtmxDetails


def wants_fragment(request: HtmxHttpRequest) -> bool:
    """Tell whether htmx asked for a part of a page.

    Boosted links and history restores also come from htmx but need the whole page.
    """
    htmx = request.htmx
    return bool(htmx and not htmx.boosted and not htmx.history_restore_request)


def page_or_partial(
    request: HtmxHttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render `app/name.html`, or `app/_name.html` when htmx asked for a fragment."""
    if wants_fragment(request):
        folder, _, name = template.rpartition("/")
        template = f"{folder}/_{name}"

    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def go_back(page: str, *, otherwise: str) -> HttpResponse:
    """Redirect to where a form says it stands, as long as that is a page of ours."""
    is_ours = page.startswith("/") and url_has_allowed_host_and_scheme(page, None)
    return HttpResponseRedirect(page if is_ours else otherwise)


def asked(request: HttpRequest, name: str) -> str:
    """Return what a filter asks for; PostgreSQL knows no NUL, and nobody means it."""
    return request.GET.get(name, "").replace("\0", "").strip()


# What depends on the clock is said anew now and then, where nothing else changes.
SECONDS_UNSAID = 10


def mark_of(*seen: object) -> str:
    """Return a name for what somebody has seen, with which their page asks for news."""
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:12]


def passing_time() -> int:
    """Return what makes a mark pass after a while."""
    return int(time.time() / SECONDS_UNSAID)


def has_seen(request: HttpRequest, mark: str, name: str = "mark") -> bool:
    """Tell whether a page that asks for news shows what `mark` stands for."""
    return asked(request, name) == mark


def no_news() -> HttpResponse:
    """Leave the page as it is; it goes on asking."""
    return HttpResponse(status=204)


def news_elsewhere() -> HttpResponse:
    """Leave what asked as it is, and let the parts around it ask for themselves."""
    return HttpResponse(status=204, headers={"HX-Trigger": "moved"})
