from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.imap.account import Account
from purelymanage.migrations.discovery import Found, discover
from purelymanage.migrations.forms import FindServerForm, ServerForm, TryServerForm
from purelymanage.migrations.forms.servers import PRESET_CHOICES, preset_values
from purelymanage.migrations.logins import (
    PATIENCE,
    SHORT_PATIENCE,
    Trial,
    try_account,
)
from purelymanage.migrations.models import Server
from purelymanage.migrations.models.servers import may_edit_servers
from purelymanage.migrations.operations import server_removal
from purelymanage.migrations.operations import servers as operations
from purelymanage.migrations.presets import BY_KEY
from purelymanage.migrations.server_words import Shown

LINKED = ("host", "port", "security")
# Where one goes back to, by what the link says.
ERRANDS = {
    "job": "migrations:create-job",
    "import": "migrations:import-jobs",
    "campaign": "migrations:create-campaign",
}


@require_safe
@requires(Right.SEE_MIGRATIONS)
def server_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    servers = Server.objects.visible_to(request.user).present().with_use()
    return page_or_partial(
        request,
        "migrations/server_list.html",
        {
            "servers": [Shown.of(it) for it in servers],
            "may_edit": may_edit_servers(request.user),
        },
    )


@sensitive_post_parameters("try_password")
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def create_server(request: AuthenticatedHttpRequest) -> HttpResponse:
    if not may_edit_servers(request.user):
        raise PermissionDenied
    form = ServerForm(request.POST or None, initial=_linked(request))
    context: dict[str, Any] = {"form": form}

    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            context["trial"] = _trial_as_asked(form)
        elif trial := _trial_before_saving(form):
            try:
                server = operations.create_server(
                    **form.settings(), trial=trial, actor=request.user
                )
            except Refused as exc:
                form.add_error("name", str(exc))
            else:
                tell = messages.success if trial.passed else messages.warning
                tell(request, f"{server} was added. {trial.words}")
                if came_for := _came_for(request):
                    url = reverse(ERRANDS[came_for])
                    return redirect(f"{url}?server={server.pk}")
                return redirect("migrations:server-list")

    return _new_server(request, context)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def find_server(request: AuthenticatedHttpRequest) -> HttpResponse:
    if not may_edit_servers(request.user):
        raise PermissionDenied
    find_form = FindServerForm(request.POST or None)
    context: dict[str, Any] = {"find_form": find_form, "form": ServerForm()}

    if request.method == "POST" and find_form.is_valid():
        discovery = discover(find_form.cleaned_data["address"])
        context["discovery"] = discovery
        if discovery.best:
            values = _found_values(discovery.best, discovery.domain)
            context["form"] = ServerForm(initial=values)

    return _new_server(request, context)


@sensitive_post_parameters("try_password")
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def edit_server(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    server = _editable(request, pk)
    initial = preset_values(asked(request, "preset"))
    # It keeps its name, and its host where the provider has none for everybody.
    initial.pop("name", None)
    if not initial.get("host"):
        initial.pop("host", None)
    context: dict[str, Any] = {"server": server, "name": server.name}
    context["form"] = form = ServerForm(
        request.POST or None, instance=server, initial=initial
    )

    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            context["trial"] = _trial_as_asked(form)
        elif trial := _trial_before_saving(form):
            try:
                erased = operations.edit_server(
                    server=server, **form.settings(), trial=trial, actor=request.user
                )
            except Refused as exc:
                form.add_error(None, str(exc))
            else:
                tell = messages.success if trial.passed else messages.warning
                tell(request, f"{_changed(server, erased)} {trial.words}")
                return redirect("migrations:server-list")

    return _with_form(request, "migrations/edit_server.html", context)


@sensitive_post_parameters("try_password")
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def test_server(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    servers = Server.objects.visible_to(request.user).present()
    server = get_object_or_404(servers, pk=pk)
    form = TryServerForm(request.POST or None)
    context: dict[str, Any] = {
        "server": server,
        "form": form,
        "preset": BY_KEY.get(server.preset),
        "may_edit": may_edit_servers(request.user),
    }
    # Without a login there is nothing in a form to be wrong.
    if request.method == "POST" and (form.is_valid() or not form.is_bound):
        login = form.cleaned_data if form.is_bound else {}
        context["trial"] = operations.test_server(
            server=server,
            user=login.get("try_user", ""),
            password=login.get("try_password", ""),
        )
    return page_or_partial(
        request,
        "migrations/test_server.html",
        context,
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def remove_server(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    server = _editable(request, pk)
    if "confirmed" in request.POST:
        try:
            erased = server_removal.remove_server(server=server, actor=request.user)
        except Refused as exc:
            messages.error(request, str(exc))
        else:
            messages.success(request, f"{server} was removed.{_erased(erased)}")
            return redirect("migrations:server-list")
    context = {
        "server": server,
        "uses": server_removal.uses_of(server),
        "finished": server_removal.finished_copies(server),
    }
    return page_or_partial(request, "migrations/remove_server.html", context)


def _editable(request: AuthenticatedHttpRequest, pk: int) -> Server:
    if not may_edit_servers(request.user):
        raise PermissionDenied
    return get_object_or_404(Server.objects.present(), pk=pk)


def _new_server(
    request: AuthenticatedHttpRequest, context: dict[str, Any]
) -> HttpResponse:
    # What was looked for stays, whatever is done with what was found.
    address = request.POST.get("address") or asked(request, "address")
    context.setdefault("find_form", FindServerForm(initial={"address": address}))
    context["came_for"] = _came_for(request)
    return _with_form(request, "migrations/create_server.html", context)


def _with_form(
    request: AuthenticatedHttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    form: ServerForm = context["form"]
    context["presets"] = PRESET_CHOICES
    context["preset"] = BY_KEY.get(form["preset"].value() or "")
    find_form = context.get("find_form")
    is_wrong = form.errors or (find_form is not None and find_form.errors)
    return page_or_partial(request, template, context, status=422 if is_wrong else 200)


def _came_for(request: AuthenticatedHttpRequest) -> str:
    """Return what somebody was about to do who goes back to that afterwards."""
    errand = asked(request, "for")
    return errand if errand in ERRANDS else ""


def _linked(request: AuthenticatedHttpRequest) -> dict[str, Any]:
    """Return what a link fills the form with: a provider, or settings found."""
    values = preset_values(asked(request, "preset"))
    values |= {key: asked(request, key) for key in LINKED if asked(request, key)}
    return values


def _found_values(found: Found, domain: str) -> dict[str, Any]:
    values = preset_values(found.preset.key) if found.preset else {"name": domain}
    return values | {
        "host": found.host,
        "port": found.port,
        "security": found.security.value,
    }


def _trial_as_asked(form: ServerForm) -> Trial:
    trial = try_account(_typed_account(form))
    if trial.passed:
        form.forget_login()
    return trial


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
    return Server(**form.settings()).account(
        form.cleaned_data["try_user"], form.cleaned_data["try_password"]
    )


def _erased(number: int) -> str:
    if not number:
        return ""
    noun = "password was" if number == 1 else "passwords were"
    return f" {number} stored {noun} erased."


def _changed(server: Server, erased: operations.Erased) -> str:
    sentence = f"{server} was changed."
    if erased.passwords:
        words = _erased(erased.passwords).rstrip(".")
        sentence += f"{words}, as they were given for it as it was."
    if erased.drafts:
        sentence += " Files of unfinished imports are to be uploaded again."
    return sentence
