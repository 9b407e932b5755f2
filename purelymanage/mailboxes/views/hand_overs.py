from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.mailboxes import mail_settings
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations import hand_overs as operations
from purelymanage.mailboxes.operations.offers import accept_offer, offer_link
from purelymanage.mailboxes.views.details import mailbox_or_404


def hand_out(
    mailbox: Mailbox, password: str, doubts: list[str], user: User
) -> dict[str, Any]:
    """Return what the page needs that shows a new password to who has set it."""
    return {
        "mailbox": mailbox,
        "password": password,
        "doubts": doubts,
        "hosts": mail_settings.as_lines(),
        "offer": offer_link(mailbox=mailbox, password=password, actor=user),
    }


@sensitive_post_parameters("offer")
@never_cache
@require_POST
@requires(Right.HANDLE_MAILBOXES)
def make_hand_over(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    """Make the link instead of showing the password; the answer is its page."""
    mailbox = mailbox_or_404(address, request.user)
    context = {"mailbox": mailbox, "hosts": mail_settings.as_lines()}
    try:
        link = accept_offer(
            mailbox=mailbox,
            offer=request.POST.get("offer", ""),
            actor=request.user,
        )
    except Refused as exc:
        context["problem"] = str(exc)
        return render(request, "mailboxes/hand_over.html", context, status=422)
    context["link"] = link
    return render(request, "mailboxes/hand_over.html", context, status=201)


@require_POST
@requires(Right.HANDLE_MAILBOXES)
def withdraw_hand_over(
    request: AuthenticatedHttpRequest, address: str, pk: int
) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    hand_over = get_object_or_404(mailbox.hand_overs, pk=pk)
    try:
        operations.withdraw_hand_over(hand_over=hand_over, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, "The link shows nothing any more.")
    return redirect("mailboxes:mailbox-detail", mailbox.address)
