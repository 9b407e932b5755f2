from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import AppPassword
from purelymanage.mailboxes.operations import suspension
from purelymanage.mailboxes.views.answers import (
    show_action,
    show_changed,
    status_of,
)
from purelymanage.mailboxes.views.details import mailbox_or_404


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def suspend(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    error, status = "", 200
    if request.method == "POST":
        try:
            doubts = suspension.suspend(mailbox=mailbox, actor=request.user)
        except Refused as exc:
            error, status = str(exc), status_of(exc)
            mailbox.refresh_from_db()
        else:
            return show_changed(
                request,
                mailbox,
                place="suspension",
                done="The mailbox is suspended.",
                doubts=doubts,
            )
    kept = AppPassword.objects.of_people().filter(address=mailbox.address)
    context = {"error": error, "app_passwords": kept.count()}
    template = "mailboxes/suspend.html"
    return show_action(
        request, template, mailbox, context, status=status, needs_details=False
    )
