"""Who has a second factor, and who must have one by when."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet

from purelymanage.accounts.models import User

# Recovery codes alone are none: they exist because of one of these.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
GRACE = timedelta(days=7)
NAMES = {
    Authenticator.Type.TOTP: "an authenticator app",
    Authenticator.Type.WEBAUTHN: "a passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


def people_with_second_factor() -> QuerySet[Authenticator, int]:
    """The ids of these people, to filter others by or to look them up."""
    factors = Authenticator.objects.filter(type__in=FACTORS)
    people: QuerySet[Authenticator, int] = factors.order_by().values_list(
        "user_id", flat=True
    )
    return people.distinct()


def has_second_factor(user: User) -> bool:
    return people_with_second_factor().filter(user_id=user.pk).exists()


def second_factor_due(
    user: User, *, since: datetime | None, is_set_up: bool
) -> datetime | None:
    """When the panel closes for this person, or None if nothing is asked of them.

    Whoever joins later gets the same time as those who were there at the switch.
    """
    if since is None or is_set_up:
        return None
    return max(since, user.joined_at) + GRACE
