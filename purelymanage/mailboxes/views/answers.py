"""How actions on a mailbox answer: with the page as it has become, or with the form."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import replace_url, reswap, retarget

from purelymanage.accounts.permissions import AuthenticatedHttpRequest
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.http import page_or_partial
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.changing import NotChanged
from purelymanage.mailboxes.views.details import (
    mailbox_context,
    mailbox_or_404,
    url_of,
)

NOT_READ = "The details of this mailbox are not known yet. Look again in a minute."


def status_of(error: Refused) -> int:
    """Return how an operation's refusal is answered: an outage is nobody's mistake."""
    return 502 if isinstance(error, NotChanged) and error.is_outage else 422


def show_action(
    request: AuthenticatedHttpRequest,
    template: str,
    mailbox: Mailbox,
    context: dict[str, Any],
    *,
    status: int = 200,
    needs_details: bool = True,
) -> HttpResponse:
    """Show the form of an action, or why the mailbox is closed to it."""
    closed = _why_closed(mailbox)
    if needs_details and request.method == "GET" and not mailbox.is_read:
        closed = closed or NOT_READ
    response = page_or_partial(
        request,
        template,
        {
            "mailbox": mailbox,
            "url": url_of(mailbox),
            "closed": closed,
            **context,
        },
        status=status,
    )
    # Lets live.js tell our sentence from the 502 of a proxy.
    return reswap(response, "outerHTML") if status == 502 else response


def show_changed(
    request: AuthenticatedHttpRequest,
    mailbox: Mailbox,
    *,
    place: str,
    done: str,
    doubts: list[str] | None = None,
) -> HttpResponse:
    """Show the mailbox as it has become, and say at its `place` what was done."""
    if not request.htmx:
        messages.success(request, done)
        for doubt in doubts or []:
            messages.warning(request, doubt)
        return redirect(f"{url_of(mailbox)}#{place}")
    mailbox = mailbox_or_404(mailbox.address, request.user)
    context = {
        **mailbox_context(mailbox, request.user),
        "place": place,
        "done": done,
        "doubts": doubts or [],
    }
    response = render(request, "mailboxes/_mailbox_detail.html", context)
    response = retarget(reswap(response, "outerHTML"), "#mailbox-detail")
    return replace_url(response, url_of(mailbox))


def _why_closed(mailbox: Mailbox) -> str:
    if mailbox.gone_at:
        return f"{mailbox} is not at PurelyMail any more."
    try:
        refuse_if_pending(Kind.MAILBOX, mailbox.address)
    except Refused as exc:
        return str(exc)
    return ""
