from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.mailboxes.forms.recovery import (
    RecoveryForm,
    SwitchForm,
    SwitchOffTwoFactorForm,
)
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations import two_factor
from purelymanage.mailboxes.operations.changing import NotChanged
from purelymanage.mailboxes.operations.flags import set_flags
from purelymanage.mailboxes.views.answers import (
    show_action,
    show_changed,
    status_of,
)
from purelymanage.mailboxes.views.details import mailbox_or_404


@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def set_search_indexing(
    request: AuthenticatedHttpRequest, address: str
) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    form = SwitchForm(request.POST if request.method == "POST" else None)
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            set_flags(mailbox=mailbox, search_indexing=form.is_on, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
            status = status_of(exc)
            mailbox.refresh_from_db()
        else:
            done = "Search indexing is on." if form.is_on else "Search indexing is off."
            return show_changed(request, mailbox, place="features", done=done)
    template = "mailboxes/set_search_indexing.html"
    return show_action(request, template, mailbox, {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def set_reset_allowed(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    """Let the owner reset the password, or not.

    PurelyMail may want a new password together with it, which then is offered.
    """
    mailbox = mailbox_or_404(address, request.user)
    form = SwitchForm(request.POST if request.method == "POST" else None)
    status, needs_password = (422 if form.errors else 200), False
    if form.is_valid():
        try:
            set_flags(mailbox=mailbox, reset_allowed=form.is_on, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
            status = status_of(exc)
            # Whatever the reason given, codes are guesses: this is what may help.
            needs_password = (
                form.is_on and isinstance(exc, NotChanged) and exc.was_answered
            )
            mailbox.refresh_from_db()
        else:
            done = "The owner may reset the password."
            if not form.is_on:
                done = "The owner cannot reset the password any more."
            return show_changed(request, mailbox, place="signing-in", done=done)
    context = {"form": form, "needs_password": needs_password}
    template = "mailboxes/set_reset_allowed.html"
    return show_action(request, template, mailbox, context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def switch_on_two_factor(
    request: AuthenticatedHttpRequest, address: str
) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    data = request.POST if request.method == "POST" else None
    # Without a way back the second factor could lock the owner out for good.
    needs_method = mailbox.is_read and not mailbox.recovery_methods
    form = RecoveryForm(data, mailbox=mailbox) if needs_method else None
    error = ""
    status = 422 if form and form.errors else 200
    if data is not None and (form is None or form.is_valid()):
        try:
            two_factor.switch_on_two_factor(
                mailbox=mailbox,
                method=form.method if form else None,
                actor=request.user,
            )
        except Refused as exc:
            error, status = str(exc), status_of(exc)
            mailbox.refresh_from_db()
            if not mailbox.recovery_methods and form is None:
                form = RecoveryForm(None, mailbox=mailbox)
            elif mailbox.recovery_methods:
                form = None
        else:
            return show_changed(
                request, mailbox, place="signing-in", done="Two-factor sign-in is on."
            )
    context = {"form": form, "error": error}
    template = "mailboxes/switch_on_two_factor.html"
    return show_action(request, template, mailbox, context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def switch_off_two_factor(
    request: AuthenticatedHttpRequest, address: str
) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    form = SwitchOffTwoFactorForm(request.POST if request.method == "POST" else None)
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            two_factor.switch_off_two_factor(mailbox=mailbox, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
            status = status_of(exc)
            mailbox.refresh_from_db()
        else:
            return show_changed(
                request, mailbox, place="signing-in", done="Two-factor sign-in is off."
            )
    context = {"form": form, "resetting": _resetting(mailbox)}
    template = "mailboxes/switch_off_two_factor.html"
    return show_action(request, template, mailbox, context, status=status)


def _resetting(mailbox: Mailbox) -> list[str]:
    """Return through which methods owners can switch it off by themselves."""
    return [
        it["target"] for it in mailbox.recovery_methods if it.get("allow_mfa_reset")
    ]
