from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import reswap

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes import mail_settings
from purelymanage.mailboxes.hints import takers
from purelymanage.mailboxes.models import AppPassword, Change, Creation, Mailbox
from purelymanage.mailboxes.operations.changing import in_words
from purelymanage.mailboxes.operations.details import (
    are_details_awaited,
    ask_for_details,
)
from purelymanage.mailboxes.related import sections_of

STOP_POLLING = 286  # as htmx takes it


@require_safe
@requires(Right.SEE_MAILBOXES)
def mailbox_detail(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    try:
        mailbox = mailbox_or_404(address, request.user)
    except Http404:
        # Bookmarks and tickets still have the name from before a rename.
        return redirect(url_of(_renamed_or_404(_plain(address), request.user)))
    if request.htmx and "read" in request.GET:
        return _show_if_newer(request, mailbox)
    ask_for_details(mailbox=mailbox)
    context = mailbox_context(mailbox, request.user)
    context["awaited"] = not mailbox.gone_at and are_details_awaited(mailbox)
    return page_or_partial(request, "mailboxes/mailbox_detail.html", context)


def _show_if_newer(request: AuthenticatedHttpRequest, mailbox: Mailbox) -> HttpResponse:
    """Answer a page that waits for details, and leave one alone that is written on."""
    if asked(request, "editing"):
        return reswap(HttpResponse(status=STOP_POLLING), "none")
    if asked(request, "read") == read_mark(mailbox):
        if mailbox.details_at is None:
            ask_for_details(mailbox=mailbox)
        elif not are_details_awaited(mailbox):
            return reswap(HttpResponse(status=STOP_POLLING), "none")
        return HttpResponse(status=204)
    context = mailbox_context(mailbox, request.user)
    return page_or_partial(request, "mailboxes/mailbox_detail.html", context)


def read_mark(mailbox: Mailbox) -> str:
    """Return a sign of when the details were read, for pages to come back with."""
    return mailbox.details_at.isoformat() if mailbox.details_at else "never"


def mailbox_or_404(address: str, user: User) -> Mailbox:
    """Return a mailbox this person may see, with what is known of its deletion."""
    mailboxes = Mailbox.objects.visible_to(user).with_deletion()
    return get_object_or_404(mailboxes, address=_plain(address))


def _plain(address: str) -> str:
    """Return how an address is kept; PostgreSQL knows no NUL, and nobody means it."""
    return address.lower().replace("\0", "")


def _renamed_or_404(former: str, user: User) -> Mailbox:
    """Return what once had this name, for whom both its domains are open."""
    if not user.covers(former.rpartition("@")[2]):
        raise Http404
    change = Change.objects.renames().filter(wanted__old=former).first()
    if change is None:
        raise Http404
    return get_object_or_404(Mailbox.objects.visible_to(user), pk=change.mailbox_id)


def url_of(mailbox: Mailbox) -> str:
    return reverse("mailboxes:mailbox-detail", args=[mailbox.address])


def mailbox_context(mailbox: Mailbox, user: User) -> dict[str, Any]:
    """Return what the sections of the page need. Frozen mailboxes offer nothing."""
    deletions = PendingDeletion.objects.on(
        Kind.MAILBOX, mailbox.address, mailbox.domain
    )
    deletion = deletions.select_related("requested_by").first()
    is_open = not mailbox.gone_at and deletion is None
    changes = Change.objects.filter(mailbox=mailbox)
    renames = list(changes.renames().with_open_follow_ups())
    open_change = changes.asked().first()
    # Not those of a mailbox that had the same address before.
    since = changes.filter(requested_at__gt=mailbox.first_seen_at)
    return {
        "mailbox": mailbox,
        "url": url_of(mailbox),
        "read_mark": read_mark(mailbox),
        "deletion": deletion,
        "creation": _creation(mailbox),
        "suspension": _suspension(mailbox) if mailbox.suspended_at else None,
        "being_changed": in_words(open_change) if open_change else "",
        "doubts_password": since.doubts_password(),
        "takers": [] if mailbox.gone_at else takers(mailbox.address, user),
        "related": sections_of(mailbox, user),
        "mail_servers": [mail_settings.imap(), mail_settings.smtp()],
        "webmail": mail_settings.WEBMAIL,
        "app_passwords": AppPassword.objects.filter(address=mailbox.address).listed(),
        "renames": renames,
        "history": history_of(
            mailbox.address, user, former=[it.former_name for it in renames]
        ),
        "may_handle": is_open and user.may(Right.HANDLE_MAILBOXES),
        # Also of a frozen one, into which its open links still let somebody.
        "may_withdraw": not mailbox.gone_at and user.may(Right.HANDLE_MAILBOXES),
        "may_manage": is_open and user.may(Right.MANAGE),
        "may_copy": is_open and user.may(Right.MANAGE),
        "may_delete": is_open and user.may(Right.DELETE),
        "may_cancel": user.may(Right.DELETE),
        "may_see_deletions": user.may(Right.SEE_DOMAINS),
    }


def _creation(mailbox: Mailbox) -> Creation | None:
    done = Creation.objects.filter(address=mailbox.address, state=Creation.State.DONE)
    return done.select_related("requested_by").order_by("-settled_at").first()


def _suspension(mailbox: Mailbox) -> Change | None:
    done = Change.objects.filter(
        mailbox=mailbox, kind=Change.Kind.SUSPENSION, state=Change.State.DONE
    )
    return done.select_related("requested_by").order_by("-settled_at").first()
