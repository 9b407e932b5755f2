from __future__ import annotations

import os
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from purelymanage.accounts.operations.organisation import send_test_mail
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.accounts.security.factors import has_second_factor
from purelymanage.accounts.sessions import arrival_of
from purelymanage.dashboard.doctor.configuration import env_file
from purelymanage.dashboard.setup import operations
from purelymanage.dashboard.setup.steps import Name, progress
from purelymanage.domains.operations import sync_now
from purelymanage.errors import Refused
from purelymanage.http import has_seen, no_news, page_or_partial


@never_cache
@require_safe
@requires(Right.MANAGE_PEOPLE)
def setup(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _show(request)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def check_token(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _do(request, Name.TOKEN, lambda: operations.check_token(actor=request.user))


@require_POST
@requires(Right.MANAGE_PEOPLE)
def start_import(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _do(request, Name.IMPORT, lambda: sync_now(actor=request.user))


@require_POST
@requires(Right.MANAGE_PEOPLE)
def try_mail(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _do(request, Name.MAIL, lambda: send_test_mail(actor=request.user))


@require_POST
@requires(Right.MANAGE_PEOPLE)
def confirm_mail(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _do(request, Name.MAIL, lambda: operations.confirm_mail(actor=request.user))


@require_POST
@requires(Right.MANAGE_PEOPLE)
def put_off_step(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    if name not in set(Name):
        raise Http404
    step = Name(name)
    return _do(request, step, lambda: operations.put_off(step=step, actor=request.user))


@require_POST
@requires(Right.MANAGE_PEOPLE)
def finish_setup(request: AuthenticatedHttpRequest) -> HttpResponse:
    found = progress(request.user, has_factor=_has_factor(request))
    if not (found["is_ready"] or found["is_finished"]):
        messages.warning(request, "Some steps are neither done nor put off yet.")
        return redirect("setup")
    operations.finish(actor=request.user)
    messages.success(request, "The panel is set up.")
    return redirect("dashboard")


def _do(
    request: AuthenticatedHttpRequest, step: Name, act: Callable[[], object]
) -> HttpResponse:
    refusal = ""
    try:
        act()
    except Refused as exc:
        refusal = str(exc)
    if request.htmx:
        return _show(request, acted_on=step, refusal=refusal)
    if refusal:
        messages.warning(request, refusal)
    return redirect("setup")


def _show(
    request: AuthenticatedHttpRequest,
    *,
    acted_on: Name | None = None,
    refusal: str = "",
) -> HttpResponse:
    context = progress(request.user, has_factor=_has_factor(request))
    if request.method == "GET" and request.htmx and has_seen(request, context["mark"]):
        return no_news()
    context |= {
        # The focus stays where something was done.
        "acted_on": acted_on,
        "refusal": refusal,
        "token_file": os.environ.get("PURELYMAIL_API_TOKEN_FILE", ""),
        "env_file": env_file(),
    }
    return page_or_partial(request, "dashboard/setup.html", context)


def _has_factor(request: AuthenticatedHttpRequest) -> bool:
    arrival = arrival_of(request)
    return arrival.has_second_factor if arrival else has_second_factor(request.user)
