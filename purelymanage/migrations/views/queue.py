from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.broker import silent_clusters
from purelymanage.errors import Refused
from purelymanage.http import page_or_partial
from purelymanage.migrations.forms.queue import LimitForm, QueueForm, first_values
from purelymanage.migrations.limits import rest_until
from purelymanage.migrations.models import QueueRules
from purelymanage.migrations.models.queue import workers_of_a_host
from purelymanage.migrations.models.servers import may_edit_servers
from purelymanage.migrations.operations import queue_rules as operations
from purelymanage.migrations.queue import CLUSTER


def queue_controls(user: User, form: LimitForm | None = None) -> dict[str, Any]:
    """Return what `_queue_controls.html` needs, for any page that includes it."""
    rules = QueueRules.objects.present()
    return {
        "rules": rules,
        "rests_until": rest_until(rules.pause_from, rules.pause_until, timezone.now()),
        "workers": workers_of_a_host(),
        "is_silent": CLUSTER in silent_clusters(),
        "limit_form": form or LimitForm(initial=first_values(rules)),
        "may_edit_queue": may_edit_queue(user),
    }


def may_edit_queue(user: User) -> bool:
    """Like the servers, it is everybody's: people limited to some domains only look."""
    return may_edit_servers(user)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def edit_queue(request: AuthenticatedHttpRequest) -> HttpResponse:
    _refuse_limited(request.user)
    rules = QueueRules.objects.present()
    form = QueueForm(request.POST or None, initial=first_values(rules))
    if request.method == "POST" and form.is_valid():
        operations.edit_queue(**form.cleaned_data, actor=request.user)
        messages.success(request, "The queue was changed.")
        return redirect("migrations:job-list")
    return page_or_partial(
        request,
        "migrations/edit_queue.html",
        {"form": form, "workers": workers_of_a_host()},
        status=422 if form.errors else 200,
    )


@require_POST
@requires(Right.MANAGE)
def limit_queue(request: AuthenticatedHttpRequest) -> HttpResponse:
    _refuse_limited(request.user)
    form = LimitForm(request.POST)
    if not form.is_valid():
        if not request.htmx:
            messages.error(request, str(form.errors["parallel_runs"][0]))
        return _answer(request, form, status=422)
    operations.limit_queue(**form.cleaned_data, actor=request.user)
    return _answer(request)


@require_POST
@requires(Right.MANAGE)
def pause_queue(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _change(request, operations.pause_queue)


@require_POST
@requires(Right.MANAGE)
def resume_queue(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _change(request, operations.resume_queue)


def _change(
    request: AuthenticatedHttpRequest, change: Callable[..., None]
) -> HttpResponse:
    _refuse_limited(request.user)
    # A second click, or somebody else was first: it is as it was wanted.
    with suppress(Refused):
        change(actor=request.user)
    return _answer(request)


def _refuse_limited(user: User) -> None:
    if not may_edit_queue(user):
        raise PermissionDenied


def _answer(
    request: AuthenticatedHttpRequest, form: LimitForm | None = None, status: int = 200
) -> HttpResponse:
    if not request.htmx:
        return redirect("migrations:job-list")
    context = queue_controls(request.user, form)
    return render(request, "migrations/_queue_controls.html", context, status=status)
