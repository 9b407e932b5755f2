from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.middleware import (
    AuthenticationMiddleware,
    LoginRequiredMiddleware,
)
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from purelymanage.accounts.session_store import session_at_hand
from purelymanage.audit.log import remote_address

# Tells the sign-in page why somebody is there.
IDLE = "idle"


class PersonMiddleware(AuthenticationMiddleware):
    """Django's, with the session at hand for whoever looks its person up."""

    def __call__(self, request: HttpRequest) -> Any:
        token = session_at_hand.set(request.session)
        try:
            return super().__call__(request)
        finally:
            session_at_hand.reset(token)


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Send strangers to the sign-in page, and note where a request comes from."""

    def __call__(self, request: HttpRequest) -> Any:
        # Through a socket file nobody leaves an address but by a proxy in front.
        peer = request.META.get("REMOTE_ADDR")
        proxied = settings.ALLAUTH_TRUSTED_PROXY_COUNT and request.headers.get(
            "X-Forwarded-For"
        )
        known = peer or proxied
        address = get_adapter().get_client_ip(request) if known else None
        token = remote_address.set(address)
        try:
            return super().__call__(request)
        finally:
            remote_address.reset(token)

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: Any,
        view_kwargs: Any,
    ) -> HttpResponseBase | None:
        answer = super().process_view(request, view_func, view_args, view_kwargs)
        if answer is None:
            return None
        login_url = self.get_login_url(view_func)
        if getattr(request, "was_idle", False):
            login_url = f"{resolve_url(login_url)}?{IDLE}=1"
        url = redirect_to_login(_way_back(request), login_url).url
        # htmx would follow a redirect and put the sign-in page into a table row: the
        # whole page goes there instead.
        htmx = getattr(request, "htmx", None)
        redirect = HttpResponseClientRedirect if htmx else HttpResponseRedirect
        return redirect(url)


def _way_back(request: HttpRequest) -> str:
    """Return the page that somebody was on, or asked for."""
    htmx = getattr(request, "htmx", None)
    if htmx:
        return htmx.current_url_abs_path or "/"
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    # Where a form is sent to, there may be nothing to look at.
    sent_from = urlsplit(request.headers.get("Referer", ""))
    if sent_from.netloc != request.get_host():
        return request.get_full_path()
    return sent_from._replace(scheme="", netloc="").geturl() or "/"
