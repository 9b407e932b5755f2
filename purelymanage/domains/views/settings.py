from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods
from django_htmx.http import reswap

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.domains import operations
from purelymanage.domains.forms import SwitchForm
from purelymanage.domains.models import Domain
from purelymanage.domains.related import symbolic_addresses
from purelymanage.domains.views.details import (
    domain_or_404,
    show_changed,
    status_of,
    url_of,
)
from purelymanage.errors import Refused
from purelymanage.http import page_or_partial

SETTINGS = {
    "account-recovery": ("allow_account_reset", "Account recovery"),
    "subaddressing": ("symbolic_subaddressing", "Subaddressing"),
}
MOST_NAMED = 12


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def set_account_recovery(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    return _switch(request, name, "account-recovery")


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def set_subaddressing(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    return _switch(request, name, "subaddressing")


def _switch(request: AuthenticatedHttpRequest, name: str, setting: str) -> HttpResponse:
    """Ask first, with what it means; then switch."""
    domain = domain_or_404(name, request.user)
    field, title = SETTINGS[setting]
    form = SwitchForm(request.POST if request.method == "POST" else None)
    status = 422 if form.errors else 200
    if form.is_valid():
        change = {field: form.is_on}
        try:
            operations.update_settings(domain=domain, actor=request.user, **change)
        except Refused as exc:
            form.add_error(None, str(exc))
            status = status_of(exc)
            domain = domain_or_404(name, request.user)
        else:
            done = f"{title} is {'on' if form.is_on else 'off'}."
            return show_changed(request, domain, place="settings", done=done)
    context = _context(domain, field, title) | {"form": form}
    response = page_or_partial(
        request, "domains/set_setting.html", context, status=status
    )
    # Lets live.js tell our sentence from the 502 of a proxy.
    return reswap(response, "outerHTML") if status == 502 else response


def _context(domain: Domain, field: str, title: str) -> dict[str, Any]:
    is_on = getattr(domain, field)
    harmed: list[str] = []
    if field == "symbolic_subaddressing" and not is_on:
        harmed = symbolic_addresses(domain.name)
    return {
        "domain": domain,
        "url": url_of(domain),
        "setting": field,
        "title": title,
        "is_on": is_on,
        "harmed": harmed[:MOST_NAMED],
        "more_harmed": max(len(harmed) - MOST_NAMED, 0),
        "closed": _why_closed(domain),
    }


def _why_closed(domain: Domain) -> str:
    if domain.gone_at:
        return f"{domain} is not at PurelyMail any more."
    if domain.is_shared:
        return f"{domain} belongs to PurelyMail, and only they can change it."
    try:
        refuse_if_pending(Kind.DOMAIN, domain.name)
    except Refused as exc:
        return str(exc)
    return ""
