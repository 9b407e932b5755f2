from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from purelymanage.accounts.models import Invitation, Organisation, User
from purelymanage.accounts.models.invitations import VALID, hash_token
from purelymanage.accounts.permissions import Right, Role
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import Entry
from purelymanage.errors import Refused

TOKEN_BYTES = 32
GONE = "This invitation cannot be used any more."


@transaction.atomic(durable=True)
def invite_person(
    *, email: str, role: Role, domain_scope: list[str] | None, actor: User
) -> Invitation:
    """Send somebody a link that makes them a person of this panel."""
    email = email.strip().lower()
    _require_right(actor)
    if person := User.objects.filter(email__iexact=email).first():
        if person.is_active:
            raise Refused(f"{email} has access already.")
        raise Refused(f"{email} was here before. Switch their access on again.")

    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = timezone.now()
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                email=email,
                role=role,
                domain_scope=domain_scope,
                token_hash=hash_token(token),
                invited_by=actor,
                sent_at=now,
                expires_at=now + VALID,
            )
    except IntegrityError as exc:
        raise Refused(
            f"{email} is invited already. Send that invitation again, or withdraw it."
        ) from exc

    _send(invitation, token)
    log.record(Event.PERSON_INVITED, actor=actor, target=email, role=role.label)
    return invitation


@transaction.atomic(durable=True)
def resend_invitation(*, invitation: Invitation, actor: User) -> None:
    """Send a new link, good for another seven days; the old one is dead."""
    _require_right(actor)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = timezone.now()
    if not (
        Invitation.objects.pending()
        .filter(pk=invitation.pk)
        .update(token_hash=hash_token(token), sent_at=now, expires_at=now + VALID)
    ):
        raise Refused(GONE)

    invitation.refresh_from_db()
    _send(invitation, token)
    log.record(Event.INVITATION_RESENT, actor=actor, target=invitation.email)


@transaction.atomic(durable=True)
def withdraw_invitation(*, invitation: Invitation, actor: User) -> None:
    """Make the link that was sent worthless."""
    _require_right(actor)
    pending = Invitation.objects.pending().filter(pk=invitation.pk)
    if not pending.update(withdrawn_at=timezone.now()):
        raise Refused(GONE)
    log.record(Event.INVITATION_WITHDRAWN, actor=actor, target=invitation.email)


def withdraw_all_of(person: User, *, actor: User) -> list[Entry]:
    """Withdraw whom a person has invited; return what is to be recorded about it.

    Recording comes last in a larger change: whoever accepts one of them meanwhile
    waits for the invitation first and for the audit log afterwards.
    """
    invited = Invitation.objects.pending().filter(invited_by=person)
    rows = list(invited.select_for_update().order_by("pk"))
    Invitation.objects.filter(pk__in=[row.pk for row in rows]).update(
        withdrawn_at=timezone.now()
    )
    return [
        log.note(Event.INVITATION_WITHDRAWN, actor=actor, target=row.email)
        for row in rows
    ]


@transaction.atomic(durable=True)
def accept_invitation(*, token: str, name: str, password: str) -> User:
    """Make the invited person, once: of two clicks the second finds it used."""
    now = timezone.now()
    usable = Invitation.objects.usable(now).filter(token_hash=hash_token(token))
    if not usable.update(accepted_at=now):
        raise Refused(GONE)

    invitation = Invitation.objects.get(token_hash=hash_token(token))
    person = User(
        email=invitation.email.lower(),
        name=name,
        role=invitation.role,
        domain_scope=invitation.domain_scope,
    )
    try:
        validate_password(password, person)
        person.set_password(password)
        with transaction.atomic():
            person.save()
    except ValidationError as exc:
        raise Refused(" ".join(exc.messages)) from exc
    except IntegrityError as exc:
        raise Refused(f"{person.email} has access already.") from exc
    log.record(Event.INVITATION_ACCEPTED, actor=person, target=person.email)
    return person


def _require_right(actor: User) -> None:
    """Refuse whoever has lost the right meanwhile, and keep it until the commit."""
    now = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if not now.may(Right.MANAGE_PEOPLE):
        raise Refused("Your role does not allow this any more.")


def _send(invitation: Invitation, token: str) -> None:
    organisation = Organisation.objects.present()
    text = render_to_string(
        "emails/invitation.txt",
        {
            "invitation": invitation,
            "organisation": organisation.name,
            "url": settings.BASE_URL + reverse("accept-invitation", args=[token]),
        },
    )
    of = f" of {organisation.name}" if organisation.name else ""
    queue_mail(
        to=invitation.email,
        subject=f"Your access to the mail administration{of}",
        text=text,
    )
