from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.http import page_or_partial
from purelymanage.mailboxes.models import AppPassword, Mailbox
from purelymanage.mailboxes.operations.details import ask_for_details


@require_safe
@requires(Right.SEE_MAILBOXES)
def mailbox_detail(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    ask_for_details(mailbox=mailbox)
    return page_or_partial(
        request,
        "mailboxes/mailbox_detail.html",
        mailbox_context(mailbox, request.user),
    )


def mailbox_or_404(address: str, user: User) -> Mailbox:
    """Return a mailbox this person may see, with what is known of its deletion."""
    mailboxes = Mailbox.objects.visible_to(user).with_deletion()
    return get_object_or_404(mailboxes, address=address.lower())


def mailbox_context(mailbox: Mailbox, user: User) -> dict[str, Any]:
    """Return what the sections of the page need. Frozen mailboxes offer nothing."""
    deletion = PendingDeletion.objects.on(
        Kind.MAILBOX, mailbox.address, mailbox.domain
    ).first()
    is_open = not mailbox.gone_at and deletion is None
    return {
        "mailbox": mailbox,
        "deletion": deletion,
        "app_passwords": AppPassword.objects.filter(address=mailbox.address).listed(),
        "history": history_of(mailbox.address, user),
        "may_handle": is_open and user.may(Right.HANDLE_MAILBOXES),
        "may_manage": is_open and user.may(Right.MANAGE),
        "may_copy": is_open and user.may(Right.MANAGE),
        "may_delete": is_open and user.may(Right.DELETE),
    }
