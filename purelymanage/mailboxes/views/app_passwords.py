from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.mailboxes import mail_settings
from purelymanage.mailboxes.forms.app_passwords import AppPasswordForm
from purelymanage.mailboxes.models import AppPassword
from purelymanage.mailboxes.operations import app_passwords as operations
from purelymanage.mailboxes.operations.app_passwords import NotRevoked
from purelymanage.mailboxes.operations.new_app_passwords import make_app_password
from purelymanage.mailboxes.views.details import mailbox_or_404


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def create_app_password(
    request: AuthenticatedHttpRequest, address: str
) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    form = AppPasswordForm(request.POST if request.method == "POST" else None)
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            made = make_app_password(
                mailbox=mailbox,
                name=form.cleaned_data["name"],
                purpose=form.cleaned_data["purpose"],
                actor=request.user,
                by_link=form.wants_link,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
            status = 502 if getattr(exc, "is_outage", False) else 422
        else:
            # The answer to the form itself, so that it is kept nowhere else.
            context = {
                "mailbox": mailbox,
                "made": made,
                "hosts": [
                    (name, value)
                    for name, value in mail_settings.as_lines()
                    # It opens everything but the webmail.
                    if value != mail_settings.WEBMAIL
                ],
            }
            return render(
                request, "mailboxes/app_password_created.html", context, status=201
            )
    context = {"mailbox": mailbox, "form": form}
    return render(request, "mailboxes/create_app_password.html", context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def revoke_app_password(
    request: AuthenticatedHttpRequest, address: str, pk: int
) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    of_people = AppPassword.objects.of_people().filter(address=mailbox.address)
    row = get_object_or_404(of_people, pk=pk)
    problem, status = "", 200
    if request.method == "POST":
        try:
            if row.may_exist:
                operations.forget_app_password(row=row, actor=request.user)
                done = f"“{row.name}” is off the list."
            else:
                operations.revoke_app_password(row=row, actor=request.user)
                done = f"“{row.name}” does not open {mailbox} any more."
        except Refused as exc:
            problem = str(exc)
            is_outage = isinstance(exc, NotRevoked) and exc.is_outage
            status = 502 if is_outage else 422
        else:
            messages.success(request, done)
            return redirect("mailboxes:mailbox-detail", mailbox.address)
    context = {"mailbox": mailbox, "row": row, "problem": problem}
    return render(request, "mailboxes/revoke_app_password.html", context, status=status)
