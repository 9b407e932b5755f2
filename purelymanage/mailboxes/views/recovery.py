from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import asked
from purelymanage.mailboxes.forms.recovery import RecoveryForm
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations import recovery
from purelymanage.mailboxes.views.answers import (
    show_action,
    show_changed,
    status_of,
)
from purelymanage.mailboxes.views.details import mailbox_or_404, url_of


@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def save_recovery(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    """Add a recovery method, or change the one that `target` names."""
    mailbox = mailbox_or_404(address, request.user)
    target = asked(request, "target")
    method = _method_or_404(mailbox, target) if target else {}
    form = RecoveryForm(
        request.POST if request.method == "POST" else None,
        mailbox=mailbox,
        replaces=target,
        initial={
            "type": method.get("type", "email"),
            "target": target,
            "description": method.get("description", ""),
            "allow_mfa_reset": method.get("allow_mfa_reset", True),
        },
    )
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            recovery.save_recovery(
                mailbox=mailbox,
                method=form.method,
                replaces=target,
                actor=request.user,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
            status = status_of(exc)
        else:
            verb = "is changed" if target else "is added for recovery"
            return show_changed(
                request,
                mailbox,
                place="recovery",
                done=f"{form.method.target} {verb}.",
            )
    context = {"form": form, "target": target}
    template = "mailboxes/save_recovery.html"
    return show_action(request, template, mailbox, context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def remove_recovery(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    target = asked(request, "target")
    if not target:
        return redirect(url_of(mailbox))
    error, status = "", 200
    if request.method == "POST":
        try:
            recovery.remove_recovery(mailbox=mailbox, target=target, actor=request.user)
        except Refused as exc:
            error, status = str(exc), status_of(exc)
            mailbox.refresh_from_db()
        else:
            return show_changed(
                request,
                mailbox,
                place="recovery",
                done=f"{target} is not a recovery method any more.",
            )
    else:
        _method_or_404(mailbox, target)
    context = {
        "target": target,
        "error": error,
        "is_last": len(mailbox.recovery_methods) == 1,
    }
    template = "mailboxes/remove_recovery.html"
    return show_action(request, template, mailbox, context, status=status)


def _method_or_404(mailbox: Mailbox, target: str) -> dict[str, Any]:
    for method in mailbox.recovery_methods:
        if method["target"] == target:
            return dict(method)
    raise Http404("There is no such recovery method any more.")
