from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import asked
from purelymanage.mailboxes.forms.passwords import ResetPasswordForm
from purelymanage.mailboxes.operations import passwords as operations
from purelymanage.mailboxes.operations.app_passwords import revoke_kept
from purelymanage.mailboxes.passwords import make_password
from purelymanage.mailboxes.views.details import mailbox_context, mailbox_or_404
from purelymanage.mailboxes.views.hand_overs import hand_out


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def reset_password(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    form = ResetPasswordForm(
        request.POST if request.method == "POST" else None,
        mailbox=mailbox,
        initial={
            "password": make_password(),
            "allow_reset": asked(request, "reset_allowed") == "on",
        },
    )
    status = 422 if form.errors else 200
    if form.is_valid():
        password = form.cleaned_data["password"]
        try:
            done = operations.set_password(
                mailbox=mailbox,
                password=password,
                allow_reset=form.cleaned_data.get("allow_reset", False),
                actor=request.user,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
            status = 502 if getattr(exc, "is_outage", False) else 422
        else:
            doubts = done.doubts
            if form.cleaned_data.get("revoke_app_passwords"):
                left = revoke_kept(address=mailbox.address, actor=request.user)
                doubts = [*doubts, *left]
            # The answer to the form itself, so that the password is kept nowhere.
            context = hand_out(mailbox, password, doubts, request.user)
            context["is_verified"] = done.is_verified
            return render(request, "mailboxes/password_set.html", context)

    strength = None if form["password"].errors else form.rate_password()
    context = mailbox_context(mailbox, request.user)
    context |= {"form": form, "strength": strength}
    return render(request, "mailboxes/reset_password.html", context, status=status)
