"""Links that show a password to the owner of a mailbox, once."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from purelymanage import crypto
from purelymanage.accounts.models.invitations import hash_token
from purelymanage.audit import log
from purelymanage.audit.actors import Actor
from purelymanage.audit.chain import plain_address
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import HandOver, Mailbox

TOKEN_BYTES = 32
AT_ONCE = 200
REPLACED = "a newer one takes its place"
GONE = "the mailbox is not at PurelyMail any more"
LOCKED = "the mailbox is locked until its deletion"
BY_HAND = "it is not wanted any more"


@dataclass(frozen=True, slots=True)
class Link:
    hand_over: HandOver
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the owner gets to see, this once."""

    hand_over: HandOver
    password: str = field(repr=False)


class NotShown(Refused):
    """A link that shows nothing, and the row that says why, if there is one."""

    def __init__(self, hand_over: HandOver | None) -> None:
        super().__init__("This link does not show anything any more.")
        self.hand_over = hand_over


@transaction.atomic(durable=True)
def make_hand_over(
    *,
    mailbox: Mailbox,
    password: str,
    actor: Actor,
    what: HandOver.What = HandOver.What.PASSWORD,
) -> Link:
    """Seal a password and return the link that shows it once within 72 hours.

    Of a mailbox's password there is one open link at most: with two, somebody could
    use the one while the owner uses the other and suspects nothing.
    """
    mailbox = _lock(mailbox)
    entries = []
    if what == HandOver.What.PASSWORD:
        entries = _close(_open_ones([mailbox], what), actor, REPLACED)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    person = actor if isinstance(actor, AbstractBaseUser) else None
    hand_over = HandOver(
        mailbox=mailbox,
        what=what,
        token_hash=hash_token(token),
        made_by_id=person.pk if person else None,
    )
    hand_over.token = crypto.seal(token, bound_to=hand_over.token_place)
    hand_over.secret = crypto.seal(password, bound_to=hand_over.secret_place)
    hand_over.save()
    until = date_format(timezone.localtime(hand_over.expires_at), "j F Y, H:i")
    entry = _note(Event.HAND_OVER_MADE, hand_over, actor, until=until)
    log.record_many([*entries, entry])
    return Link(hand_over, _url(token))


def link_of(hand_over: HandOver) -> str:
    """Return the link of a hand-over again, empty where it shows nothing any more."""
    if not hand_over.is_open or not hand_over.token:
        return ""
    return _url(crypto.unseal(hand_over.token, bound_to=hand_over.token_place))


@transaction.atomic(durable=True)
def view_hand_over(*, token: str, actor: Actor = Agent.STRANGER) -> Shown:
    """Show the password, unless somebody did so before, and erase it.

    Raises `NotShown`. Of two at the same moment, the database lets one have it.
    """
    hand_over = HandOver.objects.of_token(token)
    if hand_over is None or not hand_over.is_open:
        raise NotShown(hand_over)
    password = crypto.unseal(hand_over.secret, bound_to=hand_over.secret_place)
    mine = HandOver.objects.open().filter(pk=hand_over.pk)
    if not mine.update(
        viewed_at=timezone.now(),
        viewed_from=plain_address(log.remote_address.get()),
        secret="",
        token="",
    ):
        raise NotShown(HandOver.objects.of_token(token))
    log.record_many([_note(Event.HAND_OVER_VIEWED, hand_over, actor)])
    return Shown(hand_over, password)


@transaction.atomic(durable=True)
def withdraw_hand_over(*, hand_over: HandOver, actor: Actor) -> None:
    """Let a link show nothing any more."""
    entries = _close([hand_over], actor, BY_HAND)
    if not entries:
        raise Refused("This link shows nothing any more, so it was not withdrawn.")
    log.record_many(entries)


def withdraw_all_of(
    *,
    mailboxes: Iterable[Mailbox],
    actor: Actor,
    reason: str = REPLACED,
    what: HandOver.What | None = HandOver.What.PASSWORD,
) -> list[Entry]:
    """Withdraw the open links of mailboxes; return entries, which are not written yet.

    For the transaction of whatever makes them useless.
    """
    return _close(_open_ones(mailboxes, what), actor, reason)


@transaction.atomic(durable=True)
def withdraw_of_locked(*, address: str, actor: Actor) -> None:
    """Let nothing show a password to an owner who is being shut out."""
    mine = Mailbox.objects.filter(address=address)
    log.record_many(
        withdraw_all_of(mailboxes=mine, actor=actor, reason=LOCKED, what=None)
    )


def wipe_useless() -> int:
    """Erase what nobody opened in time, or what opens a mailbox that is gone."""
    useless = HandOver.objects.to_wipe().select_related("mailbox")
    return sum(_wipe(hand_over) for hand_over in useless[:AT_ONCE])


@transaction.atomic(durable=True)
def _wipe(hand_over: HandOver) -> bool:
    if hand_over.mailbox.gone_at:
        entries = _close([hand_over], Agent.PANEL, GONE)
    else:
        mine = HandOver.objects.unused().filter(pk=hand_over.pk).exclude(secret="")
        wiped = mine.update(secret="", token="")
        entries = (
            [_note(Event.HAND_OVER_EXPIRED, hand_over, Agent.PANEL)] if wiped else []
        )
    log.record_many(entries)
    return bool(entries)


def _open_ones(
    mailboxes: Iterable[Mailbox], what: HandOver.What | None
) -> list[HandOver]:
    found = HandOver.objects.unused().exclude(secret="").select_related("mailbox")
    found = found.filter(mailbox__in=mailboxes)
    return list(found.filter(what=what) if what else found)


def _close(hand_overs: list[HandOver], actor: Actor, reason: str) -> list[Entry]:
    entries = []
    for hand_over in hand_overs:
        mine = HandOver.objects.unused().filter(pk=hand_over.pk).exclude(secret="")
        if mine.update(withdrawn_at=timezone.now(), secret="", token=""):
            entries.append(
                _note(Event.HAND_OVER_WITHDRAWN, hand_over, actor, reason=reason)
            )
    return entries


def _lock(mailbox: Mailbox) -> Mailbox:
    """Return the mailbox as it is, so that links of it are made one after the other."""
    present = Mailbox.objects.present().select_for_update(no_key=True)
    found = present.filter(pk=mailbox.pk).first()
    if found is None:
        raise Refused(f"{mailbox} is not at PurelyMail any more.")
    return found


def _note(event: Event, hand_over: HandOver, actor: Actor, **details: Any) -> Entry:
    what = hand_over.get_what_display().lower()
    address = hand_over.mailbox.address
    return log.note(event, actor=actor, target=address, what=what, **details)


def _url(token: str) -> str:
    return settings.BASE_URL + reverse("welcome", args=[token])
