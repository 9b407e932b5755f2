"""The public pages of a campaign: the form by either link, and what came of it.

By the link for everybody nobody learns whether an address is known or a password is
stored: known, unknown and busy addresses get the same answers.
"""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from purelymanage.audit.log import remote_address, request_id
from purelymanage.errors import Refused
from purelymanage.http import HtmxHttpRequest, has_seen, no_news
from purelymanage.mailboxes.views.welcome import kept_to_oneself
from purelymanage.migrations import presets
from purelymanage.migrations.campaigns import gate, limits, standing, texts, trying
from purelymanage.migrations.campaigns.forgery import checks_forgery
from purelymanage.migrations.campaigns.keeping import let_go
from purelymanage.migrations.campaigns.own_copy import own_copy
from purelymanage.migrations.campaigns.texts.saying import (
    Saying,
    in_words,
    preferred_words,
    saying_of,
)
from purelymanage.migrations.campaigns.texts.words import words_of
from purelymanage.migrations.campaigns.trying import Answer, Handed
from purelymanage.migrations.forms.gather import GatherForm
from purelymanage.migrations.models import Campaign, Participant, PastLink
from purelymanage.migrations.operations import submissions
from purelymanage.migrations.operations.submissions import Offer

# Answers leave at multiples of so many seconds: how long something took in the database
# tells nobody anything.
PACE = 0.25

WRONG = {
    Answer.REFUSED: "refused",
    Answer.APP_PASSWORD: "refused_app_password",
    Answer.NO_PASSWORDS: "refused_no_passwords",
}


# The check against forgery is one of its own: see there.
@csrf_exempt
@sensitive_post_parameters("password")
@never_cache
@login_not_required
@kept_to_oneself
@checks_forgery
@require_http_methods(["GET", "HEAD", "POST"])
def gather(request: HtmxHttpRequest, token: str) -> HttpResponse:
    """Ask for the password of an old mailbox, by the link for all or by one's own."""
    campaign = Campaign.objects.of_token(token)
    if campaign is not None:
        return _shared(request, campaign)
    participant = Participant.objects.of_token(token)
    if participant is not None:
        return _own(request, participant, token)
    past = PastLink.objects.of_token(token)
    if past is not None:
        return _over(request, past.campaign)
    words = preferred_words(request)
    say = Saying(words)
    context = {"words": words, "title": say["unknown_title"], "text": say["unknown"]}
    return render(request, "gather/notice.html", context, status=404)


def _shared(request: HtmxHttpRequest, campaign: Campaign) -> HttpResponse:
    if not campaign.is_open:
        return _over(request, campaign)
    if _is_for_another(request, campaign):
        return _anew(request, campaign)
    form = _form(request, campaign)
    if not form.is_valid():
        return _page(request, campaign, form)
    handed = _hand_over(request, campaign, form)
    return _answer(request, campaign, form, handed)


def _tell_news(request: HtmxHttpRequest, participant: Participant) -> HttpResponse:
    it = own_copy(participant)
    if it is not None and has_seen(request, it.mark):
        return no_news()
    context = {"participant": participant, "it": it}
    return render(request, "gather/_progress.html", context)


def _own(
    request: HtmxHttpRequest, participant: Participant, token: str
) -> HttpResponse:
    campaign = participant.campaign
    if participant.opened_at is None and request.method == "GET":
        submissions.note_opened(participant=participant)
    if participant.removed_at is not None:
        return _notice(request, campaign, "removed", status=410)
    if request.htmx and request.method == "GET":
        return _tell_news(request, participant)
    if not campaign.is_open:
        return _over(request, campaign, participant)
    if request.method == "POST" and "withdraw" in request.POST:
        return _withdraw(request, participant, token)

    found = standing.of(participant)
    if found.has_copy and found.what != "needed":
        return _page(request, campaign, None, participant, found)
    if _is_for_another(request, campaign):
        return _anew(request, campaign, participant, found)
    form = _form(request, campaign, participant)
    if form.is_valid():
        handed = _hand_over(request, campaign, form, participant)
        if handed.answer in (Answer.RIGHT, Answer.KEPT):
            return redirect("gather", token)
        return _answer(request, campaign, form, handed, participant)
    if found.hides_form and not form.is_bound and "again" not in request.GET:
        return _page(request, campaign, None, participant, found)
    return _page(request, campaign, form, participant, found)


def asked_at(campaign: Campaign) -> str:
    """Return what the form carries of the server that it names to an owner."""
    server = campaign.server
    return limits.hashed(f"form:{server.pk}:{server.host}:{server.port}")


def _is_for_another(request: HttpRequest, campaign: Campaign) -> bool:
    """Whether somebody agreed that their password is tried, but at another server."""
    if request.method != "POST":
        return False
    return request.POST.get("server") != asked_at(campaign)


def _anew(
    request: HtmxHttpRequest,
    campaign: Campaign,
    participant: Participant | None = None,
    found: standing.Standing | None = None,
) -> HttpResponse:
    """Show the form with the present server; nothing is tried or stored."""
    typed = _form(request, campaign, participant)
    typed.is_valid()
    return _page(request, campaign, typed.begun_anew, participant, found, moved=True)


def _hand_over(
    request: HttpRequest,
    campaign: Campaign,
    form: GatherForm,
    participant: Participant | None = None,
) -> Handed:
    offer = Offer(
        campaign=campaign,
        address=form.mailbox,
        user=form.other_user,
        password=form.cleaned_data["password"],
        participant=participant,
        client=remote_address.get(),
        request=request_id.get(),
    )
    began = time.monotonic()
    with gate.stepped_aside(request):
        handed = trying.hand_over(offer, until=gate.may_wait_until(request))
        if participant is None:
            _keep_pace(began)
    return handed


def _answer(
    request: HtmxHttpRequest,
    campaign: Campaign,
    form: GatherForm,
    handed: Handed,
    participant: Participant | None = None,
) -> HttpResponse:
    """Say what came of a password, in the same words whoever asks."""
    answer = handed.answer
    if answer == Answer.OVER:
        return _over(request, campaign, participant)
    if handed.free_at is not None:
        return _too_often(request, campaign, handed.free_at)
    if answer in WRONG:
        say = _saying(campaign, form.mailbox)
        form.add_error("password", say[WRONG[answer]])
        return _page(request, campaign, form, participant)
    say = _saying(campaign, form.mailbox)
    what = "right" if answer == Answer.RIGHT else "kept"
    context = _context(campaign, say) | {"what": what, "other_user": form.other_user}
    return render(request, "gather/outcome.html", context)


def _too_often(
    request: HttpRequest, campaign: Campaign, free_at: datetime
) -> HttpResponse:
    wait = free_at - timezone.now()
    when = in_words(words_of(campaign.language), wait)
    response = _notice(request, campaign, "too_often", status=429, when=when)
    minutes = max(1, math.ceil(wait / timedelta(minutes=1)))
    response.headers["Retry-After"] = str(60 * minutes)
    return response


def _withdraw(
    request: HtmxHttpRequest, participant: Participant, token: str
) -> HttpResponse:
    try:
        submissions.withdraw_submission(participant=participant)
    except Refused:
        # Launched a moment ago: the page says so.
        return redirect("gather", token)
    return redirect("gather", token)


def _form(
    request: HttpRequest, campaign: Campaign, participant: Participant | None = None
) -> GatherForm:
    say = saying_of(campaign)
    address = participant.address if participant else ""
    data = request.POST if request.method == "POST" else None
    return GatherForm(data, words=say.words, address=address)


def _page(
    request: HtmxHttpRequest,
    campaign: Campaign,
    form: GatherForm | None,
    participant: Participant | None = None,
    found: standing.Standing | None = None,
    *,
    moved: bool = False,
) -> HttpResponse:
    address = participant.address if participant else _typed_address(form)
    received = found.since if found else None
    say = _saying(campaign, address)
    if received is not None:
        say.facts["received"] = texts.of(campaign.language).day(received)
    context = _context(campaign, say) | {
        "form": form,
        "participant": participant,
        "standing": found,
        "moved": moved,
        "asked_at": asked_at(campaign),
        "how_to": say.words.app_passwords.get(_preset(campaign, address)),
    }
    status = 409 if moved else 422 if form is not None and form.errors else 200
    return render(request, "gather/gather.html", context, status=status)


def _over(
    request: HttpRequest, campaign: Campaign, participant: Participant | None = None
) -> HttpResponse:
    if campaign.purged_at is not None:
        return _notice(request, campaign, "over", text="over_erased", status=410)
    copied = participant if participant and standing.of(participant).has_copy else None
    return _notice(request, campaign, "over", status=410, participant=copied)


def _notice(
    request: HttpRequest,
    campaign: Campaign,
    what: str,
    *,
    status: int,
    text: str = "",
    participant: Participant | None = None,
    **facts: str,
) -> HttpResponse:
    say = saying_of(campaign, **facts)
    context = _context(campaign, say) | {
        "title": say[f"{what}_title"],
        "text": say[text or what],
        "again": request.path if what == "too_often" else "",
        "participant": participant,
    }
    return render(request, "gather/notice.html", context, status=status)


def _context(campaign: Campaign, say: Saying) -> dict[str, Any]:
    return {"campaign": campaign, "words": say.words, "say": say}


def _saying(campaign: Campaign, address: str) -> Saying:
    preset = presets.BY_KEY.get(_preset(campaign, address))
    provider = preset.name if preset else campaign.server.host
    return saying_of(campaign, address=address, provider=provider)


def _preset(campaign: Campaign, address: str) -> str:
    """Return whose mailbox this is: as the address says, or as the server does."""
    found = presets.by_domain(address.rpartition("@")[2].lower())
    return found.key if found else campaign.server.preset


def _typed_address(form: GatherForm | None) -> str:
    if form is None or not form.is_bound:
        return ""
    return str(form.cleaned_data.get("address", ""))


def _keep_pace(began: float) -> None:
    took = time.monotonic() - began
    let_go()
    time.sleep(PACE - took % PACE)
