from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_safe,
)

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial, wants_fragment
from purelymanage.migrations.campaigns import links
from purelymanage.migrations.campaigns.figures import Figures, with_counts
from purelymanage.migrations.campaigns.review import Review
from purelymanage.migrations.campaigns.states import (
    A_PAGE,
    PeopleFilter,
    rows_of,
    some_of,
)
from purelymanage.migrations.forms.campaigns import CampaignForm, EditCampaignForm
from purelymanage.migrations.models import Campaign, Server
from purelymanage.migrations.operations import campaigns as operations
from purelymanage.migrations.views.finding import campaign_of

PER_PAGE = 50


@require_safe
@requires(Right.SEE_MIGRATIONS)
def campaign_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    campaigns = with_counts(Campaign.objects.visible_to(request.user))
    campaigns = campaigns.select_related("server")
    page = Paginator(campaigns.order_by("-created_at", "-pk"), PER_PAGE).get_page(
        asked(request, "page")
    )
    context = {
        "page": page,
        "may_change": request.user.may(Right.MANAGE),
        "has_servers": Server.objects.visible_to(request.user).present().exists(),
    }
    return page_or_partial(request, "migrations/campaigns/campaign_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def create_campaign(request: AuthenticatedHttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = CampaignForm(
        request.POST if is_sent else None,
        user=request.user,
        initial={"server": asked(request, "server")},
    )
    if is_sent and form.takes_usual_texts:
        form = form.with_usual_texts()
    elif is_sent and form.is_valid():
        try:
            campaign = operations.create_campaign(
                wishes=form.wishes, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("migrations:campaign-detail", campaign.pk)
    context = {
        "form": form,
        "has_servers": Server.objects.visible_to(request.user).present().exists(),
    }
    status = 422 if form.errors else 200
    template = "migrations/campaigns/create_campaign.html"
    return render(request, template, context, status=status)


@never_cache
@require_safe
@requires(Right.SEE_MIGRATIONS)
def campaign_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    campaign = campaign_of(request, pk)
    may_change = request.user.may(Right.MANAGE)
    people = campaign.participants.present()
    chosen = PeopleFilter.read(request.GET)
    doubt = asked(request, "doubt")
    found = chosen.narrow(people).order_by("address", "pk")
    whole = not wants_fragment(request)
    review = Review(campaign, request.user, is_whole=whole or bool(doubt))
    # By their keys: what there is to say of each is asked for the few of the page.
    everybody = found.values_list("pk", flat=True)
    keys = review.narrow(everybody, doubt)
    pages = Paginator(everybody if keys is None else keys, A_PAGE)
    page = pages.get_page(asked(request, "page"))
    shown = some_of(campaign, list(page))
    context: dict[str, Any] = {
        "campaign": campaign,
        "page": page,
        "rows": rows_of(campaign, review.of(shown)),
        "filter": chosen,
        "doubt": doubt,
        # Of these, who only filters or turns a page sees nothing.
        "figures": SimpleLazyObject(partial(Figures.of, campaign)),
        "review": review,
        "may_change": may_change,
        "link": links.link_of(campaign) if may_change and campaign.is_open else "",
    }
    template = "migrations/campaigns/campaign_detail.html"
    return page_or_partial(request, template, context)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def edit_campaign(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    campaign = campaign_of(request, pk)
    is_sent = request.method == "POST"
    form = EditCampaignForm(
        request.POST if is_sent else None, user=request.user, campaign=campaign
    )
    if is_sent and form.takes_usual_texts:
        form = form.with_usual_texts()
    elif is_sent and form.is_valid():
        try:
            operations.change_campaign(
                campaign=campaign, wishes=form.wishes, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("migrations:campaign-detail", campaign.pk)
    context = {"form": form, "campaign": campaign}
    status = 422 if form.errors else 200
    template = "migrations/campaigns/edit_campaign.html"
    return render(request, template, context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def close_campaign(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    campaign = campaign_of(request, pk)
    if request.method == "POST":
        try:
            operations.close_campaign(campaign=campaign, actor=request.user)
        except Refused as exc:
            messages.error(request, str(exc))
        else:
            messages.success(request, f"{campaign} takes no password any more.")
        return redirect("migrations:campaign-detail", campaign.pk)
    context = {"campaign": campaign, "kept_days": Campaign.KEPT.days}
    return render(request, "migrations/campaigns/close_campaign.html", context)
