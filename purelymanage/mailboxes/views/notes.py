from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.mailboxes.forms.notes import NotesForm
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations import notes
from purelymanage.mailboxes.views.answers import show_action, show_changed
from purelymanage.mailboxes.views.details import mailbox_or_404


@require_http_methods(["GET", "POST"])
@requires(Right.HANDLE_MAILBOXES)
def edit_notes(request: AuthenticatedHttpRequest, address: str) -> HttpResponse:
    mailbox = mailbox_or_404(address, request.user)
    form = NotesForm(
        request.POST if request.method == "POST" else None,
        initial={"tags": ", ".join(mailbox.tags), "note": mailbox.note},
    )
    if form.is_valid():
        try:
            notes.edit_notes(mailbox=mailbox, **form.cleaned_data, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
            mailbox.refresh_from_db()
        else:
            return show_changed(request, mailbox, place="notes", done="Saved.")
    context = {
        "form": form,
        # Of what is there now, so that whoever saves again knows what is replaced.
        "shown": notes.notes_digest(mailbox),
        "known_tags": Mailbox.objects.visible_to(request.user).tags_in_use(),
    }
    status = 422 if form.errors else 200
    template = "mailboxes/edit_notes.html"
    return show_action(
        request, template, mailbox, context, status=status, needs_details=False
    )
