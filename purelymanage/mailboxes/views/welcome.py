"""The public page that shows an owner their password, once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from allauth.core.internal import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.models import organisation_of
from purelymanage.audit.models import Agent
from purelymanage.http import HtmxHttpRequest
from purelymanage.mailboxes import mail_settings
from purelymanage.mailboxes.models import HandOver
from purelymanage.mailboxes.operations import hand_overs
from purelymanage.mailboxes.operations.hand_overs import NotShown

# Nobody guesses 32 random bytes; whoever tries all the same need not be served.
GUESSES = {"welcome": "20/m/ip"}

View = Callable[[HtmxHttpRequest, str], HttpResponse]


def kept_to_oneself(view: View) -> View:
    """Let neither caches nor search engines nor other sites learn of the link."""

    @wraps(view)
    def closed(request: HtmxHttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return closed


# Whoever has the link needs no cookie: it may open in a mail program's own browser. And
# under "no-referrer" browsers name no origin, which the check against forgery asks for.
# Nothing can be forged, as who knows the link can open it.
@csrf_exempt
@never_cache
@login_not_required
@kept_to_oneself
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HtmxHttpRequest, token: str) -> HttpResponse:
    """Show that a password waits, and the password itself when asked by the button.

    Programs follow links to preview or scan them, and must not use this one up.
    """
    if not _may_guess(request, dry_run=True):
        return _closed(request, None, status=429)
    hand_over = HandOver.objects.of_token(token)
    if hand_over is None:
        _may_guess(request)
        return _closed(request, None, status=404)
    if not hand_over.is_open:
        return _closed(request, hand_over)
    context = {
        "hand_over": hand_over,
        "organisation": organisation_of(request),
        "servers": [mail_settings.imap(), mail_settings.smtp()],
        "smtp_starttls_port": mail_settings.SMTP_STARTTLS_PORT,
        "webmail": mail_settings.WEBMAIL,
        "dav": mail_settings.DAV,
    }
    if request.method != "POST":
        return render(request, "mailboxes/welcome.html", context)
    try:
        actor = request.user if request.user.is_authenticated else Agent.STRANGER
        shown = hand_overs.view_hand_over(token=token, actor=actor)
    except NotShown as exc:
        return _closed(request, exc.hand_over)
    context["password"] = shown.password
    return render(request, "mailboxes/welcome_shown.html", context)


def _may_guess(request: HttpRequest, *, dry_run: bool = False) -> bool:
    usage = ratelimit.consume(
        request,
        app="purelymanage",
        action="welcome",
        config=GUESSES,
        dry_run=dry_run,
        limit_get=True,
    )
    return usage is not None


def _closed(
    request: HtmxHttpRequest, hand_over: HandOver | None, *, status: int = 410
) -> HttpResponse:
    context = {"hand_over": hand_over, "is_too_often": status == 429}
    return render(request, "mailboxes/welcome_closed.html", context, status=status)
