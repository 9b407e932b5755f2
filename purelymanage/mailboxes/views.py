from __future__ import annotations

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.domains.models import Domain
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes import operations
from purelymanage.mailboxes.forms import CreateMailboxForm
from purelymanage.mailboxes.hints import takers
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations import NotCreated
from purelymanage.mailboxes.passwords import make_password

PER_PAGE = 50
SORTS = {
    "address": ["address"],
    "-address": ["-address"],
    "added": ["first_seen_at", "address"],
    "-added": ["-first_seen_at", "address"],
}


@require_safe
@requires(Right.SEE_MAILBOXES)
def mailbox_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    words, domain = asked(request, "q"), asked(request, "domain")
    two_factor, sort = asked(request, "two_factor"), asked(request, "sort")
    mine = Mailbox.objects.visible_to(request.user).present()
    found = mine.search(words).with_two_factor(two_factor)
    if domain:
        found = found.filter(domain=domain)
    sort = sort if sort in SORTS else "address"
    found = found.with_deletion().order_by(*SORTS[sort])
    page = Paginator(found, PER_PAGE).get_page(asked(request, "page"))
    return page_or_partial(
        request,
        "mailboxes/mailbox_list.html",
        {
            "page": page,
            "domains": mine.order_by("domain")
            .values_list("domain", flat=True)
            .distinct(),
            "q": words,
            "domain": domain,
            "two_factor": two_factor,
            "sort": sort,
            "filtered": bool(words or domain or two_factor),
            "may_create": request.user.may(Right.HANDLE_MAILBOXES),
            "may_copy": request.user.may(Right.MANAGE),
            "may_delete": request.user.may(Right.DELETE),
        },
    )


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
            context = {
                "created": created,
                "password": password,
                "hosts": _hosts(),
                "takers": takers(form.address, request.user),
            }
            return render(request, "mailboxes/created.html", context, status=201)

    strength = None if form["password"].errors else form.rate_password()
    return page_or_partial(
        request,
        "mailboxes/create_mailbox.html",
        {"form": form, "strength": strength},
        status=status,
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


def _hosts() -> list[tuple[str, str]]:
    """Return what a mail program has to know besides address and password."""
    imap = f"{settings.PURELYMAIL_IMAP_HOST}, port {settings.PURELYMAIL_IMAP_PORT}, TLS"
    return [
        ("IMAP (incoming)", imap),
        ("SMTP (outgoing)", "smtp.purelymail.com, port 465, TLS"),
        ("POP3 (instead of IMAP)", "pop3.purelymail.com, port 995, TLS"),
        ("Calendar and contacts", "https://purelymail.com"),
        ("In the browser", "https://inbox.purelymail.com"),
    ]


@require_safe
@requires(Right.SEE_MAILBOXES)
def mailbox_detail(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    mailboxes = Mailbox.objects.visible_to(request.user).with_deletion()
    mailbox = get_object_or_404(mailboxes, address=address.lower())
    operations.ask_for_details(mailbox=mailbox)
    context = {
        "mailbox": mailbox,
        "history": history_of(mailbox.address, request.user),
        "may_copy": request.user.may(Right.MANAGE),
        "may_delete": request.user.may(Right.DELETE),
    }
    return render(request, "mailboxes/mailbox_detail.html", context)
