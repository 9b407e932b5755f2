from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.details import ask_for_details


@require_safe
@requires(Right.SEE_MAILBOXES)
def mailbox_detail(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    mailboxes = Mailbox.objects.visible_to(request.user).with_deletion()
    mailbox = get_object_or_404(mailboxes, address=address.lower())
    ask_for_details(mailbox=mailbox)
    context = {
        "mailbox": mailbox,
        "history": history_of(mailbox.address, request.user),
        "may_copy": request.user.may(Right.MANAGE),
        "may_delete": request.user.may(Right.DELETE),
    }
    return render(request, "mailboxes/mailbox_detail.html", context)
