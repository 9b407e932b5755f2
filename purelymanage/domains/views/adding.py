from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains import operations
from purelymanage.domains.dns.expected import relative
from purelymanage.domains.dns.names import (
    BadName,
    domain_name,
    registered_domain,
    unicode_name,
)
from purelymanage.domains.dns.servers import NoResolver
from purelymanage.domains.forms import AddDomainForm
from purelymanage.domains.models import Addition, Domain, OwnershipCode
from purelymanage.domains.operations import NotAdded
from purelymanage.domains.views.details import status_of, url_of
from purelymanage.domains.visibility import visibility
from purelymanage.http import asked


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def add_domain(request: AuthenticatedHttpRequest) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = AddDomainForm(posted, initial={"name": asked(request, "name")})
    is_unproven, status = False, 422 if form.errors else 200
    # Without scripts, whoever wants to know presses a button.
    only_looks = request.POST.get("when") == "look"
    if form.is_valid() and not only_looks:
        try:
            return _add(request, form)
        except NotAdded as exc:
            form.add_error(None, str(exc))
            is_unproven, status = exc.is_unproven, status_of(exc)
    _ask_for_code(request)
    pasted = form["name"].value() or ""
    context = proof_of(request, pasted, looks=only_looks)
    context |= {"form": form, "is_unproven": is_unproven}
    return render(request, "domains/add_domain.html", context, status=status)


@never_cache
@require_safe
@requires(Right.MANAGE)
def look_for_proof(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Tell whether the ownership record is visible: the page asks when it is drawn."""
    if not request.htmx:
        return redirect("domains:add-domain")
    context = proof_of(request, asked(request, "name"), looks=True)
    return render(request, "domains/_proof.html", context)


def _add(request: AuthenticatedHttpRequest, form: AddDomainForm) -> HttpResponse:
    name = form.cleaned_data["name"]
    wanted = form.cleaned_data["allow_account_reset"]
    if request.POST.get("when") == "visible":
        addition = operations.request_addition(
            name=name, actor=request.user, allow_account_reset=wanted
        )
        messages.success(
            request,
            f"{addition.shown} is added as soon as its record is visible. Until then "
            "it waits here, for seven days at most.",
        )
        return redirect("domains:domain-list")
    domain = operations.add_domain(
        name=name, actor=request.user, allow_account_reset=wanted
    )
    messages.success(
        request,
        f"{unicode_name(domain.name)} is in the account. Its records come next.",
    )
    return redirect(url_of(domain))


def proof_of(
    request: AuthenticatedHttpRequest, pasted: str, *, looks: bool = False
) -> dict[str, Any]:
    """Return the ownership record in the form to be set, and who sees it already."""
    code = OwnershipCode.objects.current()
    context: dict[str, Any] = {
        "code": code,
        "pasted": pasted,
        "record_name": "@",
    }
    if not pasted:
        return context
    try:
        name = domain_name(pasted)
    except BadName as exc:
        return context | {"problem": str(exc)}
    zone = registered_domain(name)
    context |= {
        "name": name,
        "shown": unicode_name(name),
        "shown_zone": unicode_name(zone),
        "record_name": relative(name, zone),
        "is_covered": request.user.covers(name),
        "existing": Domain.objects.visible_to(request.user)
        .present()
        .filter(name=name)
        .first(),
        "waiting": Addition.objects.visible_to(request.user)
        .open()
        .filter(name=name)
        .first(),
    }
    if looks and code and context["is_covered"] and not context["existing"]:
        try:
            context["seen"] = visibility(name, code)
        except NoResolver as exc:
            context["problem"] = str(exc)
    return context


def _ask_for_code(request: AuthenticatedHttpRequest) -> None:
    """Have the record read where the panel does not know it yet; the page waits."""
    if request.method == "GET" and not OwnershipCode.objects.current():
        operations.sync_now(actor=request.user)
