"""What is done with the people of a campaign at its review."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
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
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.http import has_seen, no_news
from purelymanage.migrations.campaigns.review import Review
from purelymanage.migrations.forms.review import (
    BehalfForm,
    DestinationForm,
    LaunchForm,
    keys_in,
)
from purelymanage.migrations.operations import (
    launches,
    launching,
    reviewing,
    submissions,
)
from purelymanage.migrations.views.finding import campaign_of, person_of

AGREED_ONLY = "You agreed to these logins, but something else stands against them."


@require_POST
@requires(Right.MANAGE)
def launch_campaign(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Make copies for everybody who is ready; twice does no harm."""
    campaign = campaign_of(request, pk)
    form = LaunchForm(request.POST, campaign=campaign)
    if not form.is_valid():
        messages.error(request, "Choose how the copies begin.")
        return redirect("migrations:campaign-detail", pk)
    try:
        launched = launching.launch(
            campaign=campaign, wishes=form.wishes, actor=request.user
        )
    except Refused as exc:
        messages.error(request, str(exc))
        return redirect("migrations:campaign-detail", pk)
    if launched.is_under_way:
        return redirect("migrations:campaign-detail", pk)
    if launched.batch is None:
        messages.info(request, AGREED_ONLY)
        return redirect("migrations:campaign-detail", pk)
    if launched.copies:
        messages.success(request, _launched_in_words(launched))
    else:
        messages.info(request, "Everybody who was ready is here already.")
    return redirect("migrations:batch-detail", launched.batch.pk)


@never_cache
@require_safe
@requires(Right.SEE_MIGRATIONS)
def launch_progress(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """How far a worker is with a launch; when it has ended, the page is another."""
    campaign = campaign_of(request, pk)
    launch = campaign.launches.unfinished().defer("keys").first()
    if not request.htmx:
        return redirect("migrations:campaign-detail", pk)
    if launch is None:
        return HttpResponse(headers={"HX-Refresh": "true"})
    if has_seen(request, launch.mark):
        return no_news()
    context = {
        "campaign": campaign,
        "launch": launch,
        "may_change": request.user.may(Right.MANAGE),
    }
    return render(request, "migrations/campaigns/_launch.html", context)


@require_POST
@requires(Right.MANAGE)
def stop_launch(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    campaign = campaign_of(request, pk)
    try:
        launch = launches.stop_launch(campaign=campaign, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        done = f"{thin(launch.copies)} of {thin(launch.total)}"
        messages.success(request, f"Stopped: {done} were launched.")
    return redirect("migrations:campaign-detail", pk)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def change_destination(
    request: AuthenticatedHttpRequest, pk: int, key: int
) -> HttpResponse:
    person = person_of(request, pk, key)
    data = request.POST if request.method == "POST" else None
    form = DestinationForm(data, participant=person, user=request.user)
    if form.is_valid():
        try:
            reviewing.change_destination(
                participant=person, **form.cleaned_data, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("migrations:campaign-detail", pk)
    context = {"campaign": person.campaign, "person": person, "form": form}
    status = 422 if form.errors else 200
    template = "migrations/campaigns/change_destination.html"
    return render(request, template, context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def agree_to_login(
    request: AuthenticatedHttpRequest, pk: int, key: int
) -> HttpResponse:
    """Say who has signed in for somebody, and take the word that it is all right."""
    person = person_of(request, pk, key)
    if request.method == "POST":
        seen = max(keys_in(request.POST.get("submission", "")), default=0)
        try:
            reviewing.agree_to_login(
                participant=person, submission=seen, actor=request.user
            )
        except Refused as exc:
            messages.error(request, str(exc))
        return redirect("migrations:campaign-detail", pk)
    (shown,) = Review(person.campaign, request.user, is_whole=False).of([person])
    if not shown.review.asks:
        return redirect("migrations:campaign-detail", pk)
    context = {"campaign": person.campaign, "person": shown}
    return render(request, "migrations/campaigns/agree_to_login.html", context)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def add_on_behalf(request: AuthenticatedHttpRequest, pk: int, key: int) -> HttpResponse:
    """Take a password that its owner gave to somebody in another way."""
    person = person_of(request, pk, key)
    form = BehalfForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            submissions.add_on_behalf(
                participant=person, **form.login, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            messages.success(request, f"The password of {person} is being tried.")
            return redirect("migrations:campaign-detail", pk)
    context = {"campaign": person.campaign, "person": person, "form": form}
    status = 422 if form.errors else 200
    template = "migrations/campaigns/add_on_behalf.html"
    return render(request, template, context, status=status)


def _launched_in_words(launched: launching.Launched) -> str:
    number = launched.copies
    words = f"{thin(number)} {'copy was' if number == 1 else 'copies were'} launched."
    if lost := launched.unreadable:
        whose = "1 password" if lost == 1 else f"{thin(lost)} passwords"
        words += f" {whose} cannot be opened any more. Ask for them again."
    return words
