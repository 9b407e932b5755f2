from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from purelymanage.accounts.forms import OrganisationForm, ProfileForm
from purelymanage.accounts.models import User, organisation_of
from purelymanage.accounts.operations import organisation as operations
from purelymanage.accounts.operations.people import rename_person
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.accounts.security.factors import has_second_factor
from purelymanage.accounts.security.proof import fresh_proof_required
from purelymanage.errors import Refused


@require_http_methods(["GET", "POST"])
def profile(request: AuthenticatedHttpRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = ProfileForm(data, initial={"name": request.user.name})
    if form.is_valid():
        rename_person(person=request.user, name=form.cleaned_data["name"])
        messages.success(request, "Your name is saved.")
        return redirect("settings:profile")
    context = {
        "form": form,
        "has_second_factor": has_second_factor(request.user),
        "manages_people": request.user.may(Right.MANAGE_PEOPLE),
        "sees_health": request.user.may(Right.MANAGE),
    }
    status = 422 if form.errors else 200
    return render(request, "settings/profile.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def organisation(request: AuthenticatedHttpRequest) -> HttpResponse:
    present = organisation_of(request)
    data = request.POST if request.method == "POST" else None
    form = OrganisationForm(data, organisation=present)
    if form.is_valid():
        try:
            operations.change_organisation(decisions=form.decisions, actor=request.user)
        except Refused as exc:
            form.add_error("second_person_required", str(exc))
        else:
            messages.success(request, "The settings are saved.")
            return redirect("settings:organisation")
    context = {
        "form": form,
        "organisation": present,
        "approvers": User.people.able_to_approve().count(),
    }
    status = 422 if form.errors else 200
    return render(request, "settings/organisation.html", context, status=status)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def send_test_mail(request: AuthenticatedHttpRequest) -> HttpResponse:
    operations.send_test_mail(actor=request.user)
    if "filebased" in settings.EMAIL_BACKEND:
        folder = getattr(settings, "EMAIL_FILE_PATH", "a file")
        told = f"No mail leaves this machine: a test mail is written to {folder}."
        messages.warning(request, told)
    else:
        told = f"A test mail is on its way to {request.user.email}."
        messages.success(request, told)
    return redirect("settings:organisation")
