"""Sign-ins happen inside Django and allauth, so the audit log hears of them here."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.db import transaction
from django.dispatch import receiver

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent


@receiver(user_logged_in)
def note_sign_in(user: User, **_: Any) -> None:
    with transaction.atomic():
        log.record(Event.SIGNED_IN, actor=user, target=user.email)


@receiver(user_logged_out)
def note_sign_out(user: User | None, **_: Any) -> None:
    if user is not None:
        with transaction.atomic():
            log.record(Event.SIGNED_OUT, actor=user, target=user.email)


@receiver(user_login_failed)
def note_failed_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    email = str(credentials.get("email") or credentials.get("username") or "")[:254]
    with transaction.atomic():
        log.record(Event.SIGN_IN_FAILED, actor=Agent.STRANGER, target=email)


@receiver(password_changed)
@receiver(password_reset)
def note_new_password(user: User, **_: Any) -> None:
    with transaction.atomic():
        log.record(Event.PASSWORD_CHANGED, actor=user, target=user.email)
