from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains.models import Domain
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes.forms.creating import CreateMailboxForm
from purelymanage.mailboxes.hints import takers
from purelymanage.mailboxes.operations import creating as operations
from purelymanage.mailboxes.operations.creating import NotCreated
from purelymanage.mailboxes.passwords import make_password
from purelymanage.mailboxes.views.hand_overs import hand_out


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def create_mailbox(request: AuthenticatedHttpRequest) -> HttpResponse:
    domains = Domain.objects.visible_to(request.user).present()
    form = CreateMailboxForm(
        request.POST if request.method == "POST" else None,
        domains=domains,
        user=request.user,
        name=asked(request, "name"),
        initial={"domain": asked(request, "domain"), "password": make_password()},
    )
    status = 422 if form.errors else 200
    if form.is_valid():
        password = form.cleaned_data["password"]
        try:
            created = operations.create_mailbox(
                address=form.address,
                password=password,
                wishes=form.wishes,
                actor=request.user,
            )
        except NotCreated as exc:
            form.add_error(exc.field, str(exc))
            status = 502 if exc.is_outage else 422
        else:
            # The answer to the form itself, so that the password is kept nowhere.
            told = takers(form.address, request.user)
            doubts = [*created.doubts, *told]
            context = hand_out(created.mailbox, password, doubts, request.user)
            return render(request, "mailboxes/created.html", context, status=201)

    context = {
        "form": form,
        "strength": None if form["password"].errors else form.rate_password(),
        "may_add_domain": request.user.may(Right.MANAGE)
        and request.user.domain_scope is None,
    }
    return page_or_partial(
        request, "mailboxes/create_mailbox.html", context, status=status
    )


@sensitive_post_parameters("password")
@never_cache
@require_POST
@requires(Right.HANDLE_MAILBOXES)
def rate_password(request: AuthenticatedHttpRequest) -> HttpResponse:
    form = CreateMailboxForm(
        request.POST, domains=Domain.objects.none(), user=request.user
    )
    strength = form.rate_password() if form["password"].value() else None
    return render(request, "mailboxes/_password_strength.html", {"strength": strength})


@sensitive_post_parameters("password")
@never_cache
@require_POST
@requires(Right.HANDLE_MAILBOXES)
def preview_address(request: AuthenticatedHttpRequest) -> HttpResponse:
    domains = Domain.objects.visible_to(request.user).present()
    form = CreateMailboxForm(request.POST, domains=domains, user=request.user)
    form.full_clean()  # the address may be right while the rest is not yet
    context = {
        # As long as nothing is written, nothing is wrong.
        "form": form if form["local_part"].value() else None,
        "takers": takers(form.address, request.user) if form.address else [],
    }
    return render(request, "mailboxes/_address_preview.html", context)
