from __future__ import annotations

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.forms import AcceptInvitationForm
from purelymanage.accounts.models import Invitation, organisation_of
from purelymanage.accounts.operations import invitations
from purelymanage.errors import Refused
from purelymanage.http import HtmxHttpRequest


@sensitive_post_parameters("password")
@never_cache
@login_not_required
@require_http_methods(["GET", "POST"])
def accept_invitation(request: HtmxHttpRequest, token: str) -> HttpResponse:
    invitation = Invitation.objects.of_token(token)
    if invitation is None or not invitation.is_usable:
        return _gone(request, invitation)
    if request.user.is_authenticated:
        # Two people at one browser: the one signed in must not lose their place.
        return render(request, "accounts/other_person.html")

    data = request.POST if request.method == "POST" else None
    form = AcceptInvitationForm(data, invitation=invitation)
    if form.is_valid():
        password = form.cleaned_data["password"]
        try:
            person = invitations.accept_invitation(
                token=token, name=form.cleaned_data["name"], password=password
            )
        except Refused:
            return _gone(request, Invitation.objects.of_token(token))
        login = Login(user=person, email=person.email)
        answer: HttpResponse = perform_password_login(
            request, {"email": person.email}, login
        )
        return answer
    context = {
        "form": form,
        "invitation": invitation,
        "organisation": organisation_of(request),
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/accept_invitation.html", context, status=status)


def _gone(request: HtmxHttpRequest, invitation: Invitation | None) -> HttpResponse:
    context = {"invitation": invitation}
    return render(request, "accounts/invitation_gone.html", context, status=410)
