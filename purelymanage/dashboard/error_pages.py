"""Pages for what cannot be answered, as far as Django's own do not say it well."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import (
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from django.views import defaults
from django.views.decorators.csrf import requires_csrf_token

from purelymanage.http import HtmxHttpRequest
from purelymanage.migrations.campaigns import gate
from purelymanage.migrations.campaigns.texts.saying import preferred_words

TOO_LARGE = RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent


class WrongMethodMiddleware:
    """Say something where an address only takes what a button sends.

    Whoever loads the answer to a form again, or opens it from the history, would see an
    empty page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HtmxHttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or not _is_opened(request):
            return response
        context = {"way_back": _page_above(request.path_info)}
        page = render(request, "405.html", context, status=405)
        page.headers["Allow"] = response.headers["Allow"]
        patch_vary_headers(page, ["HX-Request"])
        return page


def _is_opened(request: HtmxHttpRequest) -> bool:
    return request.method == "GET" and not request.htmx


def _page_above(path: str) -> str:
    """Return the next address above that is one; at the latest that is the first."""
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        try:
            resolve(path)
        except Resolver404:
            continue
        break
    return path


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Tell what was too large from what nobody understands."""
    if isinstance(exception, TOO_LARGE):
        return render(request, "413.html", status=413)
    return defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    """Answer owners of mailboxes, whose link has lost a part, in their language."""
    if not request.path_info.startswith(gate.PREFIX):
        return defaults.page_not_found(request, exception)
    words = preferred_words(request)
    context = {"words": words, "title": words.unknown_title, "text": words.unknown}
    return render(request, "gather/notice.html", context, status=404)
