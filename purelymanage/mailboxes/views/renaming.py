from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.http import page_or_partial
from purelymanage.mailboxes.followers import digest, lines_of
from purelymanage.mailboxes.forms.renaming import RenameForm
from purelymanage.mailboxes.models import Change
from purelymanage.mailboxes.operations import follow_ups
from purelymanage.mailboxes.operations import renaming as operations
from purelymanage.mailboxes.operations.renaming import rename_of
from purelymanage.mailboxes.views.answers import show_action, status_of
from purelymanage.mailboxes.views.details import mailbox_or_404

CHANGED = "What hangs on the name has changed meanwhile. Look at it once more."


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def rename_mailbox(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    """Ask for the name, show what hangs on it, and rename what was looked at."""
    mailbox = mailbox_or_404(address, request.user)
    domains = Domain.objects.visible_to(request.user).present()
    form = RenameForm(_answers(request), mailbox=mailbox, domains=domains)
    context: dict[str, Any] = {"form": form}
    status = 422 if form.errors else 200
    if form.is_valid():
        rename = form.rename
        lines = lines_of(rename, request.user)
        try:
            operations.object_to(rename, request.user)
            context |= {
                "rename": rename,
                "lines": [(line, line.names_for(request.user)) for line in lines],
                "shown": digest(lines),
            }
            if request.method == "POST":
                if form.cleaned_data["shown"] != digest(lines):
                    raise Refused(CHANGED)
                change = operations.rename_mailbox(
                    mailbox=mailbox,
                    new=rename.new,
                    with_rule=rename.with_rule,
                    actor=request.user,
                )
                return redirect("mailboxes:rename-detail", rename.new, change.pk)
        except Refused as exc:
            form.add_error(getattr(exc, "field", None), str(exc))
            status = status_of(exc)
            mailbox.refresh_from_db()
    template = "mailboxes/rename_mailbox.html"
    return show_action(
        request, template, mailbox, context, status=status, needs_details=False
    )


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def rename_detail(
    request: AuthenticatedHttpRequest, address: str, pk: int
) -> HttpResponse:
    """Show what has followed a rename, and try again what could not."""
    mailbox = mailbox_or_404(address, request.user)
    done = Change.objects.renames().filter(mailbox=mailbox).exclude(settled_at=None)
    change = get_object_or_404(done, pk=pk)
    if request.method == "POST":
        follow_ups.try_again(change=change, actor=request.user)
        return redirect("mailboxes:rename-detail", mailbox.address, change.pk)
    rows = list(change.follow_ups.all())
    context = {
        "mailbox": mailbox,
        "change": change,
        "rename": rename_of(change),
        "rows": [
            (row, request.user.covers(row.domain))
            for row in rows
            if row.is_worth_telling
        ],
        "is_active": any(row.is_in_work for row in rows),
        "is_done": all(row.is_done for row in rows),
    }
    return page_or_partial(request, "mailboxes/rename_detail.html", context)


def _answers(request: AuthenticatedHttpRequest) -> QueryDict | None:
    """Return what was filled in: asked by GET first, so that it can be looked at."""
    if request.method == "POST":
        return request.POST
    if "local_part" not in request.GET:
        return None
    data = request.GET.copy()
    data.setdefault("with_rule", "on")
    return data
