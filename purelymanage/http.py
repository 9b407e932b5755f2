from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    htmx: HtmxDetails


def page_or_partial(
    request: HtmxHttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render `app/name.html`, or `app/_name.html` when htmx asked for a fragment.

    Boosted links and history restores also come from htmx but need the whole page.
    """
    htmx = request.htmx
    if htmx and not htmx.boosted and not htmx.history_restore_request:
        folder, _, name = template.rpartition("/")
        template = f"{folder}/_{name}"

    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def asked(request: HttpRequest, name: str) -> str:
    """Return what a filter asks for; PostgreSQL knows no NUL, and nobody means it."""
    return request.GET.get(name, "").replace("\0", "").strip()
