from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
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
from purelymanage.accounts.security.proof import fresh_proof_required
from purelymanage.deletions import policy
from purelymanage.deletions.forms import DecideForm, RequestForm
from purelymanage.deletions.models import Kind, PendingDeletion, name_of
from purelymanage.deletions.operations import requests, restoring
from purelymanage.deletions.presentation import Row, in_words, lines_for, together
from purelymanage.deletions.registry import Subject
from purelymanage.errors import Refused
from purelymanage.http import asked, go_back, page_or_partial

State = PendingDeletion.State
SHOWN = timedelta(days=30)
MOST_SHOWN = 100


@require_safe
@requires(Right.SEE_DOMAINS)
def deletion_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    kind, domain = asked(request, "kind"), asked(request, "domain")
    person = asked(request, "person")
    mine = PendingDeletion.objects.visible_to(request.user).select_related(
        "requested_by", "settled_by", "approved_by"
    )
    mine = mine.prefetch_related("precautions")
    found = mine.filtered(kind=kind, domain=domain, person=person)
    open_ = found.open().soonest_first()
    rows = [Row(it, request.user) for it in open_[:MOST_SHOWN]]
    over = found.ended_since(timezone.now() - SHOWN)[:MOST_SHOWN]
    batch = _batch(asked(request, "asked"))
    fresh = mine.open().filter(batch=batch).order_by("label") if batch else []
    context = {
        "fresh": [Row(it, request.user) for it in fresh],
        "paused": [row for row in rows if row.deletion.state == State.PAUSED],
        "to_approve": together(
            [row for row in rows if row.deletion.state == State.APPROVAL]
        ),
        "waiting": [
            row for row in rows if row.deletion.state in (State.WAITING, State.DELETING)
        ],
        "more": open_.count() - len(rows) if len(rows) == MOST_SHOWN else 0,
        "over": [Row(it, request.user) for it in over],
        "kind": kind,
        "domain": domain,
        "person": person,
        "filtered": bool(kind or domain or person),
        "kinds": Kind.choices,
        "domains": mine.order_by("domain").values_list("domain", flat=True).distinct(),
        "people": mine.order_by("requested_by__email")
        .values_list("requested_by__email", flat=True)
        .distinct(),
        "may_delete": request.user.may(Right.DELETE),
        "may_audit": request.user.may(Right.SEE_AUDIT),
        "grace": in_words(policy.grace()),
        "refreshes": 2 if any(row.is_in_work for row in rows) else 0,
    }
    return page_or_partial(request, "deletions/deletion_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(Right.DELETE)
def request_deletion(
    request: AuthenticatedHttpRequest, kind: str, key: str
) -> HttpResponse:
    """Ask for the deletion of one object; for a domain somebody proves who they are."""
    try:
        chosen = requests.subjects(kind, [key], request.user)
    except Refused as exc:
        raise Http404(str(exc)) from exc
    if kind == Kind.DOMAIN:
        return fresh_proof_required(_request)(request, kind, chosen)
    return _request(request, kind, chosen)


@require_http_methods(["GET", "POST"])
@requires(Right.DELETE)
@fresh_proof_required
def request_bulk(request: AuthenticatedHttpRequest, kind: str) -> HttpResponse:
    """Ask for the deletion of many at once, for which somebody proves who they are."""
    data = request.POST if request.method == "POST" else request.GET
    try:
        chosen = requests.subjects(kind, data.getlist("key"), request.user)
    except Refused as exc:
        messages.error(request, str(exc))
        return redirect(_list_of(kind))
    return _request(request, kind, chosen)


def _request(
    request: AuthenticatedHttpRequest, kind: str, chosen: list[Subject]
) -> HttpResponse:
    impacts = requests.impacts_of(kind, chosen)
    shown = requests.digest(impacts)
    form = RequestForm(
        request.POST if request.method == "POST" else None,
        kind=kind,
        subjects=chosen,
        initial={"shown": shown},
    )
    if form.is_valid():
        try:
            made = requests.request_deletions(
                kind=kind,
                keys=[subject.key for subject in chosen],
                actor=request.user,
                **form.wishes,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect(
                f"{reverse('deletions:deletion-list')}?asked={made[0].batch}"
            )

    domains = {subject.domain for subject in chosen}
    context = {
        "form": form,
        "kind": kind,
        "word": Kind(kind).label.lower(),
        "objects": [
            (subject, lines_for(impact, request.user))
            for subject, impact in zip(chosen, impacts, strict=True)
        ],
        "shown": shown,
        "back": _list_of(kind),
        "hour": timezone.now() + policy.grace(),
        "grace": in_words(policy.grace()),
        "needs_approval": policy.needs_second_person(kind, len(chosen), domains),
    }
    template = "deletions/request_deletion.html"
    return render(request, template, context, status=422 if form.errors else 200)


@require_POST
@requires(Right.DELETE)
def cancel_deletion(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    mine = PendingDeletion.objects.visible_to(request.user)
    return _cancel(request, [get_object_or_404(mine, pk=pk)])


@require_POST
@requires(Right.DELETE)
def cancel_deletions(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Cancel what was ticked, or all of what was just asked for together."""
    mine = PendingDeletion.objects.visible_to(request.user)
    batch = _batch(request.POST.get("batch", ""))
    if batch:
        return _cancel(request, list(mine.open().filter(batch=batch)))
    keys = [
        key
        for key in request.POST.getlist("deletion")
        if key.isdecimal() and len(key) < 19
    ]
    return _cancel(request, list(mine.filter(pk__in=keys[:MOST_SHOWN])))


def _cancel(
    request: AuthenticatedHttpRequest, chosen: list[PendingDeletion]
) -> HttpResponse:
    count = requests.cancel_deletions(deletions=chosen, actor=request.user)
    if not chosen:
        messages.error(request, "There is nothing to cancel.")
    elif count < len(chosen):
        messages.error(request, _too_late(len(chosen) - count))
    elif count == 1:
        messages.success(request, f"Not deleted any more: {chosen[0].name}.")
    if count > 1 or (count and count < len(chosen)):
        messages.success(request, f"{count} deletions are cancelled.")
    back = request.POST.get("next", "")
    return go_back(back, otherwise=reverse("deletions:deletion-list"))


@require_POST
@requires(Right.DELETE)
def decide_deletion(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Approve or refuse as the second person, all that was asked for together."""
    mine = PendingDeletion.objects.visible_to(request.user)
    deletion = get_object_or_404(mine, pk=pk)
    form = DecideForm(request.POST)
    chosen = list(mine.filter(batch=deletion.batch, state=State.APPROVAL))
    try:
        if not chosen or not form.is_valid():
            raise Refused("There is nothing to decide any more.")
        if form.cleaned_data["decision"] == "approve":
            requests.approve_deletions(deletions=chosen, actor=request.user)
            said = f"Approved: {name_of(chosen)}. The waiting time begins now."
        else:
            note = form.cleaned_data["note"]
            requests.refuse_deletions(deletions=chosen, note=note, actor=request.user)
            said = f"Refused: {name_of(chosen)}."
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, said)
    return redirect("deletions:deletion-list")


@require_http_methods(["GET", "POST"])
@requires(Right.DELETE)
def look_again(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Show what goes with a stopped deletion by now, and want it still."""
    mine = PendingDeletion.objects.visible_to(request.user)
    deletion = get_object_or_404(mine, pk=pk)
    if deletion.state != PendingDeletion.State.PAUSED:
        messages.error(request, f"{deletion.name} does not need another look any more.")
        return redirect("deletions:deletion-list")
    try:
        chosen = requests.subjects(deletion.kind, [deletion.key], request.user)
        impact = requests.impact_now(deletion, request.user)
    except Refused as exc:
        messages.error(request, str(exc))
        return redirect("deletions:deletion-list")
    form = RequestForm(
        request.POST if request.method == "POST" else None,
        kind=deletion.kind,
        subjects=chosen,
    )
    if form.is_valid():
        try:
            requests.look_again(
                deletion=deletion, shown=form.wishes["shown"], actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect(
                f"{reverse('deletions:deletion-list')}?asked={deletion.batch}"
            )
    context = {
        "form": form,
        "deletion": deletion,
        "lines": lines_for(impact, request.user),
        "row": Row(deletion, request.user),
        "shown": requests.digest([impact]),
        "hour": timezone.now() + policy.grace(),
        "grace": in_words(policy.grace()),
    }
    template = "deletions/look_again.html"
    return render(request, template, context, status=422 if form.errors else 200)


@require_POST
@requires(Right.MANAGE)
def create_again(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    mine = PendingDeletion.objects.visible_to(request.user)
    deletion = get_object_or_404(mine, pk=pk)
    try:
        restoring.create_again(deletion=deletion, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, f"There is {deletion.name} again.")
    return redirect("deletions:deletion-list")


def _list_of(kind: str) -> str:
    """Return where people come from, by address: those apps lie to the right."""
    lists: dict[str, str] = {Kind.MAILBOX: "/mailboxes/", Kind.DOMAIN: "/domains/"}
    return lists.get(kind, "/routing/")


def _batch(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _too_late(count: int) -> str:
    if count == 1:
        return "One had ended or begun already: look at what became of it."
    return f"{count} had ended or begun already: look at what became of them."
