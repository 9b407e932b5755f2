from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import page_or_partial
from purelymanage.imap.account import Account
from purelymanage.migrations.forms import ServerForm
from purelymanage.migrations.logins import (
    PATIENCE,
    SHORT_PATIENCE,
    Trial,
    try_account,
)
from purelymanage.migrations.models import Server
from purelymanage.migrations.models.runs import OPEN
from purelymanage.migrations.models.servers import may_edit_servers
from purelymanage.migrations.operations import servers as operations


@require_safe
@requires(Right.SEE_MIGRATIONS)
def server_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    servers = Server.objects.visible_to(request.user).annotate(
        running=Count("jobs__runs", filter=Q(jobs__runs__state__in=OPEN))
    )
    return page_or_partial(
        request,
        "migrations/server_list.html",
        {"servers": servers, "may_edit": may_edit_servers(request.user)},
    )


@sensitive_post_parameters("try_password")
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def create_server(request: AuthenticatedHttpRequest) -> HttpResponse:
    if not may_edit_servers(request.user):
        raise PermissionDenied
    form = ServerForm(request.POST or None)
    # Somebody who was about to copy a mailbox goes back to that.
    for_job = request.GET.get("for") == "job"
    context: dict[str, Any] = {"form": form, "for_job": for_job}

    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            context["trial"] = try_account(_typed_account(form))
        elif trial := _trial_before_saving(form):
            try:
                server = operations.create_server(
                    **_columns(form), trial=trial, actor=request.user
                )
            except Refused as exc:
                form.add_error("name", str(exc))
            else:
                tell = messages.success if trial.passed else messages.warning
                tell(request, f"{server} was added. {trial.words}")
                if for_job:
                    url = reverse("migrations:create-job")
                    return redirect(f"{url}?server={server.pk}")
                return redirect("migrations:server-list")

    return page_or_partial(
        request,
        "migrations/create_server.html",
        context,
        status=422 if form.errors else 200,
    )


@sensitive_post_parameters("try_password")
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def edit_server(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    if not may_edit_servers(request.user):
        raise PermissionDenied
    server = get_object_or_404(Server.objects.editable_by(request.user), pk=pk)
    name = server.name
    form = ServerForm(request.POST or None, instance=server)
    context: dict[str, Any] = {"form": form, "server": server, "name": name}

    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            context["trial"] = try_account(_typed_account(form))
        elif trial := _trial_before_saving(form):
            try:
                erased = operations.edit_server(
                    server=server, **_columns(form), trial=trial, actor=request.user
                )
            except Refused as exc:
                form.add_error(None, str(exc))
            else:
                tell = messages.success if trial.passed else messages.warning
                told = f"{_changed(server, erased)} {trial.words}"
                tell(request, told)
                return redirect("migrations:server-list")

    return page_or_partial(
        request,
        "migrations/edit_server.html",
        context,
        status=422 if form.errors else 200,
    )


@require_POST
@requires(Right.MANAGE)
def test_server(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    server = get_object_or_404(Server.objects.visible_to(request.user), pk=pk)
    trial = operations.test_server(server=server)
    if request.htmx:
        may_edit = may_edit_servers(request.user)
        context = {"server": server, "trial": trial, "may_edit": may_edit}
        return render(request, "migrations/_server.html", context)
    tell = messages.success if trial.passed else messages.error
    tell(request, trial.words)
    return redirect("migrations:server-list")


def _columns(form: ServerForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in form._meta.fields or ()}


def _trial_before_saving(form: ServerForm) -> Trial | None:
    """Try what was typed; None if a login was typed with it and did not work.

    Without a login it is only a look in passing, which need not go well.
    """
    user = form.cleaned_data["try_user"]
    patience = PATIENCE if user else SHORT_PATIENCE
    trial = try_account(_typed_account(form), patience=patience)
    if user and not trial.passed:
        field = "try_password" if trial.login_refused else "host"
        form.add_error(field, trial.words)
        return None
    return trial


def _typed_account(form: ServerForm) -> Account:
    server = Server(**_columns(form))
    return server.account(
        form.cleaned_data["try_user"], form.cleaned_data["try_password"]
    )


def _changed(server: Server, erased: int) -> str:
    sentence = f"{server} was changed."
    if erased:
        noun = "password was" if erased == 1 else "passwords were"
        sentence += (
            f" {erased} stored {noun} erased, as they were given for it as it was."
        )
    return sentence
