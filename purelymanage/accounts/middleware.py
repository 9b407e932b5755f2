from __future__ import annotations

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from purelymanage.audit.log import remote_address


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Send strangers to the sign-in page, and note where a request comes from."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = remote_address.set(request.META.get("REMOTE_ADDR") or None)
        try:
            return super().__call__(request)  # type: ignore[return-value]  # not async
        finally:
            remote_address.reset(token)

    def handle_no_permission(
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponse:
        # htmx would follow a redirect and put the sign-in page into a table row.
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(
                resolve_url(self.get_login_url(view_func))
            )
        return super().handle_no_permission(request, view_func)  # type: ignore[no-any-return]
