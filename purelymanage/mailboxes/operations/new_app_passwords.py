"""Making app passwords, for people and for the panel itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import AppPassword, Change, HandOver, Mailbox
from purelymanage.mailboxes.operations.app_passwords import note_unsure
from purelymanage.mailboxes.operations.hand_overs import make_hand_over
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import NotSent, Rejected, Unavailable

# Longer than the call that makes one may take.
MADE_WITHIN = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Made:
    """A new app password, with its text or with the link that shows it once."""

    row: AppPassword
    plain: str = field(default="", repr=False)
    url: str = field(default="", repr=False)
    expires_at: datetime | None = None


class NotMade(Refused):
    """Why there is no new app password, or that nobody knows (`is_outage`)."""

    def __init__(self, message: str, *, is_outage: bool = False) -> None:
        super().__init__(message)
        self.is_outage = is_outage


def make_app_password(
    *, mailbox: Mailbox, name: str, purpose: str, actor: User, by_link: bool = False
) -> Made:
    """Make an app password that is kept until somebody revokes it.

    It is shown once, by the answer or by a link, and kept sealed: without its text
    nobody could revoke it.
    """
    row = _claim(mailbox, name, purpose, actor)
    try:
        plain = mint(row=row)
    except (Rejected, NotSent) as exc:
        is_refused = isinstance(exc, Rejected) and not exc.is_about_token
        said = f"PurelyMail refused it: {exc.message}" if is_refused else exc.message
        raise NotMade(
            f"No app password was made for {mailbox}. {said}",
            is_outage=not is_refused,
        ) from exc
    except Unavailable as exc:
        note_unsure(row)
        raise NotMade(
            f"Nobody knows whether PurelyMail made “{name}”: its answer was lost. If "
            "the owner sees one of that name in the portal, it can be deleted there, "
            "as nobody knows its text.",
            is_outage=True,
        ) from exc
    if not by_link:
        return Made(row, plain)
    what = HandOver.What.APP_PASSWORD
    link = make_hand_over(mailbox=mailbox, password=plain, actor=actor, what=what)
    return Made(row, url=link.url, expires_at=link.hand_over.expires_at)


def intend(*, address: str, name: str, purpose: str) -> AppPassword:
    """Write down that the panel is about to make one for itself, to be revoked soon.

    Before the call, so that a crash leaves a trace of a password that may exist.
    """
    return AppPassword.objects.create(
        address=address,
        name=name,
        purpose=purpose,
        revoke_after=timezone.now() + MADE_WITHIN,
    )


def mint(*, row: AppPassword) -> str:
    """Make the app password that `row` announces. Raises what the client raises."""
    try:
        plain = get_client().create_app_password(row.address, name=row.name)
    except (Rejected, NotSent) as exc:
        _note_failed(row, exc.message)
        raise
    _note_made(row, plain)
    return plain


@transaction.atomic(durable=True)
def _claim(mailbox: Mailbox, name: str, purpose: str, actor: User) -> AppPassword:
    mine = Mailbox.objects.visible_to(actor).present()
    # Held, so that the same form sent twice makes one.
    held = mine.select_for_update().filter(pk=mailbox.pk).first()
    if held is None:
        raise NotMade(f"{mailbox} is not at PurelyMail any more.")
    refuse_if_pending(Kind.MAILBOX, held.address)
    if Change.objects.asked().filter(mailbox=held).exists():
        raise NotMade(f"{mailbox} is just being changed. Wait a moment and try again.")
    if held.suspended_at:
        raise NotMade(f"{mailbox} is suspended. Reactivate it first.")
    same = AppPassword.objects.of_people().filter(address=held.address)
    if same.filter(name__iexact=name).exists():
        raise NotMade(f"There is one called “{name}” already. Choose another name.")
    return AppPassword.objects.create(
        address=held.address,
        name=name,
        purpose=purpose,
        made_by=actor,
        revoke_after=timezone.now() + MADE_WITHIN,
    )


@transaction.atomic(durable=True)
def _note_made(row: AppPassword, plain: str) -> None:
    held = AppPassword.objects.select_for_update().get(pk=row.pk)
    is_kept = bool(held.made_by_id) and not held.is_wanted_gone
    row.secret = crypto.seal(plain, bound_to=row.secret_place)
    row.revoke_after = None if is_kept else timezone.now()
    row.save(update_fields=["secret", "revoke_after"])
    log.record(
        Event.APP_PASSWORD_CREATED,
        actor=row.made_by or Agent.PANEL,
        target=held.address,
        purpose=row.what,
    )


@transaction.atomic(durable=True)
def _note_failed(row: AppPassword, reason: str) -> None:
    row.delete()
    if row.made_by:
        log.record(
            Event.APP_PASSWORD_FAILED,
            actor=row.made_by,
            target=row.address,
            purpose=row.what,
            reason=reason or "PurelyMail gave no reason.",
        )
