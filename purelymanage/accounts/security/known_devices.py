"""A long-lived cookie tells the browsers in which a person has signed in before.

It proves nothing and opens nothing: without it a mail is sent, no more.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from purelymanage.accounts.models import User

COOKIE = f"{settings.COOKIES}device"
SALT = "purelymanage.known_devices"
LIFETIME = 400 * 24 * 60 * 60  # browsers keep no cookie for longer
MOST = 20  # people who share a browser


def is_known(request: HttpRequest, user: User) -> bool:
    return user.pk in _people(request)


def remember(response: HttpResponse, request: HttpRequest, user: User) -> None:
    """Let this browser be known from now on, for as long again."""
    people = [pk for pk in _people(request) if pk != user.pk]
    response.set_cookie(
        COOKIE,
        signing.dumps([*people[1 - MOST :], user.pk], salt=SALT),
        max_age=LIFETIME,
        path=settings.SESSION_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _people(request: HttpRequest) -> list[int]:
    try:
        people = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except signing.BadSignature:
        return []
    return [pk for pk in people if isinstance(pk, int)]
