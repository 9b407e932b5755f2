"""Whoever opens doors for themselves or others proves again who they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypedDict
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY as PROOFS,
)
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import stash_and_reauthenticate
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from purelymanage.accounts.permissions import AuthenticatedHttpRequest

P = ParamSpec("P")
# Two machines that answer for one panel may disagree by so much (seconds).
CLOCKS_DIFFER = 5.0


class Interrupted(TypedDict):
    """Where a person was when they were asked, and whether they had sent a form."""

    path: str
    sent: bool


def has_fresh_proof(request: HttpRequest) -> bool:
    """Tell whether a password, passkey or code came lately. Signing in is one, too."""
    proofs = get_authentication_records(request, request.user)
    latest = time.time() + CLOCKS_DIFFER
    known = [proof for proof in proofs if proof["at"] <= latest]
    if known != proofs:
        # The clock was set back since. They are forgotten, or each would count for all
        # that time longer, and once more when the clock comes to it.
        request.session[PROOFS] = known
    if not known:
        return False
    proven_at: float = known[-1]["at"]
    return time.time() - proven_at < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def fresh_proof_required(
    view: Callable[Concatenate[Any, P], HttpResponse],
) -> Callable[Concatenate[AuthenticatedHttpRequest, P], HttpResponse]:
    """Ask for the password or passkey again if the last proof is too old.

    Goes below `requires`. A form that was sent is not kept, as it may hold secrets:
    the person comes back to its page and is told that nothing happened.
    """

    @wraps(view)
    def checked(
        request: AuthenticatedHttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        if has_fresh_proof(request):
            return view(request, *args, **kwargs)

        came_from = Interrupted(
            path=_page_of(request), sent=request.method not in ("GET", "HEAD")
        )
        redirect: HttpResponseRedirect = stash_and_reauthenticate(
            request, dict(came_from), f"{__name__}.{go_back.__name__}"
        )
        if request.htmx:
            return HttpResponseClientRedirect(redirect.url)
        return redirect

    return checked


def go_back(request: HttpRequest, state: Interrupted) -> HttpResponse:
    """Lead a person who has proven themselves back to where they were."""
    if state["sent"]:
        messages.warning(request, "Nothing was changed yet. Send the form once more.")
    return HttpResponseRedirect(state["path"])


def _page_of(request: AuthenticatedHttpRequest) -> str:
    """Return the page a request was made from, which a form may share with others."""
    if request.htmx:
        page = request.htmx.current_url_abs_path or "/"
    elif request.method in ("GET", "HEAD"):
        page = request.get_full_path()
    else:
        page = request.headers.get("Referer", "")
        if not url_has_allowed_host_and_scheme(page, {request.get_host()}):
            return "/"
        page = urlsplit(page)._replace(scheme="", netloc="").geturl()
    # A path that begins with two slashes names another host.
    return page if url_has_allowed_host_and_scheme(page, None) else "/"
