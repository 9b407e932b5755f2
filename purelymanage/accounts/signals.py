"""Sign-ins and second factors happen inside Django and allauth, so that the audit log
and the list of sessions hear of them here."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import user_logged_in as user_let_in
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_used
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from purelymanage.accounts import sessions
from purelymanage.accounts.models import User
from purelymanage.accounts.security import known_devices, operations
from purelymanage.accounts.security.factors import NAMES
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Agent


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    with transaction.atomic():
        sessions.start_session(request=request, user=user)
        log.record(Event.SIGNED_IN, actor=user, target=user.email)


@receiver(user_let_in)
def note_device(
    request: HttpRequest, response: HttpResponse, user: User, **_: Any
) -> None:
    if not known_devices.is_known(request, user):
        operations.report_new_device(
            user=user, user_agent=request.headers.get("User-Agent", "")
        )
    known_devices.remember(response, request, user)


@receiver(user_logged_out)
def note_sign_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        with transaction.atomic():
            sessions.close_session(request=request)
            log.record(Event.SIGNED_OUT, actor=user, target=user.email)


@receiver(user_login_failed)
def note_failed_sign_in(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    if request is not None and request.user.is_authenticated:
        _record_failed_proof(request.user, "password")
        return
    email = str(credentials.get("email") or credentials.get("username") or "")[:254]
    with transaction.atomic():
        log.record(Event.SIGN_IN_FAILED, actor=Agent.STRANGER, target=email)


@receiver(authentication_failed)
def note_failed_second_factor(
    *, user: User | None, authenticator: Authenticator, reauthentication: bool, **_: Any
) -> None:
    # One field takes the codes of an app and those for recovery.
    is_passkey = authenticator.type == Authenticator.Type.WEBAUTHN
    what = "passkey" if is_passkey else "code"
    if user and reauthentication:
        _record_failed_proof(user, what)
        return
    with transaction.atomic():
        log.record(
            Event.SECOND_FACTOR_FAILED,
            actor=Agent.STRANGER,
            target=user.email if user else "anybody",
            factor=f"a {what}",
        )


@receiver(authenticator_used)
def note_recovery_code(user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        with transaction.atomic():
            log.record(Event.RECOVERY_CODE_USED, actor=user, target=user.email)


@receiver(post_save, sender=Authenticator)
def note_second_factor(instance: Authenticator, *, created: bool, **_: Any) -> None:
    if created:
        _record_factor(Event.SECOND_FACTOR_ADDED, instance)


@receiver(post_delete, sender=Authenticator)
def note_no_second_factor(instance: Authenticator, **_: Any) -> None:
    _record_factor(Event.SECOND_FACTOR_REMOVED, instance)


def _record_failed_proof(user: User, what: str) -> None:
    with transaction.atomic():
        log.record(Event.PROOF_FAILED, actor=user, target=user.email, what=what)


def _record_factor(event: Event, authenticator: Authenticator) -> None:
    request = context.request
    actor: Actor = Agent.OPERATOR
    if request is not None and request.user.is_authenticated:
        actor = request.user
    with transaction.atomic():
        log.record(
            event,
            actor=actor,
            target=authenticator.user.email,
            factor=NAMES[Authenticator.Type(authenticator.type)],
        )
