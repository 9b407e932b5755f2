from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
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
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.http import page_or_partial
from purelymanage.migrations.campaigns import mails
from purelymanage.migrations.forms.participants import PeopleForm
from purelymanage.migrations.forms.review import CameBackForm
from purelymanage.migrations.models import Participant
from purelymanage.migrations.operations import invitations, participants
from purelymanage.migrations.operations.campaigns import people_in_words
from purelymanage.migrations.views.finding import campaign_of, person_of

FAULTS_SHOWN = 200


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def add_people(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Take a table. Rows that are fine go on the list, the others are shown again."""
    campaign = campaign_of(request, pk)
    is_sent = request.method == "POST"
    form = PeopleForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        campaign=campaign,
        user=request.user,
    )
    context: dict[str, Any] = {"campaign": campaign, "form": form}
    if is_sent and form.is_valid():
        people = form.people
        try:
            listed = participants.list_people(
                campaign=campaign, people=people.found, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            words = _listed_in_words(listed, people.unused)
            if not people.faults:
                messages.success(request, words)
                return redirect("migrations:campaign-detail", campaign.pk)
            context |= {"listed": words, "faults": people.faults[:FAULTS_SHOWN]}
            context["more"] = len(people.faults) - len(context["faults"])
            context["form"] = PeopleForm(campaign=campaign, user=request.user)
    status = 422 if form.errors else 200
    return render(
        request, "migrations/campaigns/add_people.html", context, status=status
    )


@require_safe
@requires(Right.SEE_MIGRATIONS)
def preview_mail(request: AuthenticatedHttpRequest, pk: int, kind: str) -> HttpResponse:
    """Show what somebody of the list gets, and how many would get it."""
    campaign = campaign_of(request, pk)
    kind = _kind(kind)
    people = invitations.recipients(campaign, kind)
    listed = campaign.participants.present().filter(is_listed=True)
    somebody = people.order_by("pk").first() or listed.order_by("pk").first()
    context = {
        "campaign": campaign,
        "kind": kind,
        "number": people.count() if campaign.is_open else 0,
        "somebody": somebody,
        "mail": mails.preview(campaign, kind, somebody),
        "may_change": request.user.may(Right.MANAGE),
        "a_minute": invitations.MAILS_A_MINUTE,
    }
    return page_or_partial(request, "migrations/campaigns/preview_mail.html", context)


@require_POST
@requires(Right.MANAGE)
def send_mails(request: AuthenticatedHttpRequest, pk: int, kind: str) -> HttpResponse:
    campaign = campaign_of(request, pk)
    is_reminder = _kind(kind) == Participant.Mail.REMINDER
    ask = invitations.remind_people if is_reminder else invitations.invite_people
    try:
        number = ask(campaign=campaign, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        verb = "reminded" if is_reminder else "invited"
        be = "is" if number == 1 else "are"
        messages.success(request, f"{people_in_words(number)} {be} being {verb}.")
    return redirect("migrations:campaign-detail", campaign.pk)


@require_POST
@requires(Right.MANAGE)
def invite_again(request: AuthenticatedHttpRequest, pk: int, key: int) -> HttpResponse:
    person = person_of(request, pk, key)
    try:
        invitations.invite_again(participant=person, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, f"{person} is being invited.")
    return redirect("migrations:campaign-detail", pk)


@never_cache
@require_POST
@requires(Right.MANAGE)
def show_link(request: AuthenticatedHttpRequest, pk: int, key: int) -> HttpResponse:
    person = person_of(request, pk, key)
    try:
        link = participants.show_link(participant=person, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
        return redirect("migrations:campaign-detail", pk)
    context = {"campaign": person.campaign, "person": person, "link": link}
    return render(request, "migrations/campaigns/show_link.html", context)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def note_came_back(
    request: AuthenticatedHttpRequest, pk: int, key: int
) -> HttpResponse:
    person = person_of(request, pk, key)
    form = CameBackForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            invitations.note_came_back(
                participant=person, **form.cleaned_data, actor=request.user
            )
        except Refused as exc:
            messages.error(request, str(exc))
        return redirect("migrations:campaign-detail", pk)
    context = {"campaign": person.campaign, "person": person, "form": form}
    status = 422 if form.errors else 200
    template = "migrations/campaigns/note_came_back.html"
    return render(request, template, context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def remove_person(request: AuthenticatedHttpRequest, pk: int, key: int) -> HttpResponse:
    person = person_of(request, pk, key)
    if request.POST.get("confirmed"):
        try:
            participants.remove_person(participant=person, actor=request.user)
        except Refused as exc:
            messages.error(request, str(exc))
        else:
            messages.success(request, f"{person} was removed from {person.campaign}.")
        return redirect("migrations:campaign-detail", pk)
    context = {"campaign": person.campaign, "person": person}
    return render(request, "migrations/campaigns/remove_person.html", context)


def _kind(name: str) -> Participant.Mail:
    if name not in Participant.Mail:
        raise Http404
    return Participant.Mail(name)


def _listed_in_words(listed: participants.Listed, unused: list[str]) -> str:
    words = []
    if not listed.added and not listed.changed:
        words.append("All of them were on the list already.")
    if listed.added:
        be = "is" if listed.added == 1 else "are"
        words.append(f"{people_in_words(listed.added)} {be} new on the list.")
    if listed.changed:
        words.append(f"{thin(listed.changed)} of the others changed.")
    if unused:
        words.append(f"Not used: {', '.join(unused)}.")
    return " ".join(words)
