from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from purelymanage.accounts.forms import InvitePersonForm, RightsForm
from purelymanage.accounts.models import Invitation, User, organisation_of
from purelymanage.accounts.operations import invitations, people
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.accounts.security.factors import (
    has_second_factor,
    people_with_second_factor,
)
from purelymanage.accounts.security.proof import fresh_proof_required
from purelymanage.audit.history import history_of
from purelymanage.errors import Refused


@require_safe
@requires(Right.MANAGE_PEOPLE)
def person_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    context = {
        "people": User.objects.order_by("-is_active", "email"),
        "invitations": Invitation.objects.pending().order_by("email"),
        "with_second_factor": set(people_with_second_factor()),
        "organisation": organisation_of(request),
    }
    return render(request, "accounts/person_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def invite_person(request: AuthenticatedHttpRequest) -> HttpResponse:
    form = InvitePersonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            invitation = invitations.invite_person(
                email=form.cleaned_data["email"],
                role=form.chosen_role,
                domain_scope=form.domain_scope,
                actor=request.user,
            )
        except Refused as exc:
            form.add_error("email", str(exc))
        else:
            messages.success(request, f"An invitation is on its way to {invitation}.")
            return redirect("settings:person-list")
    status = 422 if form.errors else 200
    return render(request, "accounts/invite_person.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def person_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    data = request.POST if request.method == "POST" else None
    form = RightsForm(data, present=person)
    if form.is_valid():
        try:
            people.change_rights(
                person=person,
                role=form.chosen_role,
                domain_scope=form.domain_scope,
                actor=request.user,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            messages.success(request, f"{person} has these rights from now on.")
            return redirect("settings:person-list")
    context = {
        "form": form,
        "person": person,
        "has_second_factor": has_second_factor(person),
        "history": history_of(person.email, request.user),
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/person_detail.html", context, status=status)


@require_POST
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def deactivate_person(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    return _do(
        request,
        lambda: people.deactivate_person(person=person, actor=request.user),
        f"{person} is signed out everywhere and has no access any more.",
    )


@require_POST
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def reactivate_person(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    return _do(
        request,
        lambda: people.reactivate_person(person=person, actor=request.user),
        f"{person} can sign in again.",
    )


@require_POST
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def resend_invitation(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    return _do(
        request,
        lambda: invitations.resend_invitation(
            invitation=invitation, actor=request.user
        ),
        f"A new link is on its way to {invitation}. The old one does not work any more.",
    )


@require_POST
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def withdraw_invitation(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    return _do(
        request,
        lambda: invitations.withdraw_invitation(
            invitation=invitation, actor=request.user
        ),
        f"The invitation of {invitation} is withdrawn.",
    )


def _do(
    request: AuthenticatedHttpRequest, change: Callable[[], None], done: str
) -> HttpResponse:
    """Carry out `change`, say how it went, and show everybody again."""
    try:
        change()
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, done)
    return redirect("settings:person-list")
