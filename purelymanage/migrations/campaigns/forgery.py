"""The check against forged forms, for pages that keep to themselves where they are.

Under `Referrer-Policy: no-referrer` browsers say `Origin: null`, which Django refuses.
What they say about the site a request comes from is as good, and no page can forge it;
the cookie and the token have to match in any case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils.decorators import decorator_from_middleware

from purelymanage.http import HtmxHttpRequest
from purelymanage.migrations.campaigns.texts.saying import Saying, preferred_words

View = Callable[[HtmxHttpRequest, str], HttpResponse]
OWN_SITE = {"", "same-origin", "none"}


class FormCsrfMiddleware(CsrfViewMiddleware):
    def _origin_verified(self, request: HttpRequest) -> bool:
        if request.headers.get("Origin") == "null":
            return _is_from_here(request)
        return bool(super()._origin_verified(request))  # type: ignore[misc]

    def _check_referer(self, request: HttpRequest) -> None:
        if not request.headers.get("Referer") and _is_from_here(request):
            return
        super()._check_referer(request)  # type: ignore[misc]

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        super()._reject(request, reason)  # type: ignore[misc]  # writes the log
        words = preferred_words(request)
        say = Saying(words)
        context = {
            "words": words,
            "title": say["forged_title"],
            "text": say["forged"],
            "again": request.path,
        }
        page = render(request, "gather/notice.html", context)
        return HttpResponseForbidden(page.content)


def checks_forgery(view: View) -> View:
    return cast(View, decorator_from_middleware(FormCsrfMiddleware)(view))


def _is_from_here(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Site", "") in OWN_SITE
