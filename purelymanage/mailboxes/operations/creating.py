from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of, as_columns
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.domains.models import Domain
from purelymanage.domains.operations import request_sync
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Creation, Mailbox
from purelymanage.mailboxes.operations.app_passwords import revoke_former
from purelymanage.mailboxes.operations.changing import LOOK_TIMEOUT, look
from purelymanage.mailboxes.operations.details import DETAIL_NAMES
from purelymanage.mailboxes.operations.hand_overs import GONE, withdraw_all_of
from purelymanage.mailboxes.operations.passwords import Trial, try_password
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import (
    NotApplied,
    NotSent,
    PurelymailError,
    Rejected,
    Unavailable,
)
from purelymanage.purelymail.types import UserDetails


class NotCreated(Refused):
    """Why there is no mailbox, and at which field of the form that belongs."""

    def __init__(
        self, message: str, *, field: str | None = None, is_outage: bool = False
    ) -> None:
        super().__init__(message)
        self.field = field
        self.is_outage = is_outage


class NotKnown(NotCreated):
    """Nobody can tell yet whether there is a mailbox now."""


@dataclass(frozen=True, slots=True)
class Created:
    mailbox: Mailbox
    doubts: list[str]  # what is not as it was asked for, in sentences
    is_known: bool = True  # the password: PurelyMail confirmed it, or it was tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    recovery_email: str = ""
    recovery_phone: str = ""  # a plus and digits only
    reset_allowed: bool = True
    search_indexing: bool = True
    # Off, unlike at PurelyMail: its owner knows the organisation and not PurelyMail,
    # and a mailbox that is to be filled by a copy should begin empty.
    welcome: bool = False
    tags: tuple[str, ...] = ()


def create_mailbox(
    *, address: str, password: str, wishes: Wishes, actor: Actor
) -> Created:
    """Create a mailbox at PurelyMail, and believe it once it has been read back.

    The request is written down before the call and settled after it: if the panel dies
    in between, the next sync finds out what became of it.
    """
    creation = _claim(address, actor)
    try:
        get_client().create_user(
            address,
            password,
            enable_password_reset=wishes.reset_allowed,
            enable_search_indexing=wishes.search_indexing,
            send_welcome_email=wishes.welcome,
            recovery_email=wishes.recovery_email,
            recovery_phone=wishes.recovery_phone,
        )
        lost = None
    except (Rejected, NotSent) as exc:
        _settle_failed(creation, exc.message)
        raise _not_created(address, exc) from exc
    except Unavailable as exc:
        lost = exc

    try:
        details = look(get_client(timeout=LOOK_TIMEOUT), address)
    except PurelymailError as exc:
        _leave_to_sync()
        raise NotKnown(
            f"Nobody knows yet whether {address} was created: PurelyMail does not "
            "answer. Keep the password; the panel looks again by itself, and the "
            "mailbox appears in the list if it was.",
            is_outage=True,
        ) from exc

    if details is None:
        error = lost or NotApplied()
        _settle_failed(creation, error.message)
        raise _not_created(address, error)

    doubts = _doubts(details, wishes)
    trial = try_password(address, password, details) if lost else Trial(opens=True)
    if not trial.opens:
        doubts.insert(0, _doubt_password(trial))
    mailbox = _settle_done(creation, details, wishes.tags)
    return Created(mailbox, doubts, is_known=bool(trial.opens))


def find_out(*, creation: Creation) -> Mailbox | None:
    """Settle a request whose process died; return the mailbox if it was created.

    For whoever knows that nobody waits for it any more. Raises what the client raises.
    """
    details = look(get_client(), creation.address)
    if details is None:
        _settle_failed(creation, "PurelyMail did not create it.")
        return None
    return _settle_done(creation, details)


def begin_anew(creation: Creation) -> list[Entry]:
    """Hold nothing against a mailbox that was known of one with the same address.

    For the transaction that settles its creation. Returns entries, which are not
    written yet.
    """
    address = creation.address
    former = Mailbox.objects.filter(address=address)
    former.update(first_seen_at=timezone.now(), suspended_at=None)
    revoke_former(address=address, made_before=creation.requested_at)
    return withdraw_all_of(
        mailboxes=former, actor=actor_of(creation), reason=GONE, what=None
    )


def say_taken(address: str, actor: Actor) -> str:
    """Say that there is such a mailbox, and to whom has just made it, what to do now."""
    if not Creation.objects.made_just_now(address, actor):
        return f"{address} exists already."
    return (
        f"You have just created {address}, so it was not created again. Its password "
        "was shown once and is not kept here: if nobody noted it, set a new one on the "
        "page of the mailbox."
    )


@transaction.atomic(durable=True)
def _claim(address: str, actor: Actor) -> Creation:
    _, _, domain = address.rpartition("@")
    domains = Domain.objects.present()
    if isinstance(actor, User):
        domains = domains.visible_to(actor)
    if not domains.filter(name=domain).exists():
        raise NotCreated(f"{domain} is not a domain of this account.", field="domain")
    if Mailbox.objects.present().filter(address=address).exists():
        raise NotCreated(say_taken(address, actor), field="local_part")
    try:
        refuse_if_pending(Kind.MAILBOX, address)
    except Refused as exc:
        raise NotCreated(str(exc), field="local_part") from exc
    try:
        with transaction.atomic():
            return Creation.objects.create(address=address, **as_columns(actor))
    except IntegrityError:
        raise NotCreated(
            f"PurelyMail has been asked to create {address} already, and its answer "
            "is awaited. Look at the list in a minute.",
            field="local_part",
        ) from None


def _doubts(details: UserDetails, wishes: Wishes) -> list[str]:
    doubts = [
        f"PurelyMail has {DETAIL_NAMES[name]} {'on' if actual else 'off'} all the same."
        for name, wanted, actual in (
            ("reset_allowed", wishes.reset_allowed, details.reset_allowed),
            ("search_indexing", wishes.search_indexing, details.search_indexing),
        )
        if wanted != actual
    ]
    kept = {method.target.lower() for method in details.recovery_methods}
    doubts += [
        f"PurelyMail did not keep {target} for recovery."
        for target in (wishes.recovery_email, wishes.recovery_phone)
        if target and target.lower() not in kept
    ]
    return doubts


def _doubt_password(trial: Trial) -> str:
    if trial.opens is None:
        return (
            "PurelyMail's answer was lost on the way, and nobody has tried the "
            f"password: {trial.reason}. Should it not open the mailbox, set a new one."
        )
    return (
        "PurelyMail's answer was lost on the way, and the password does not open the "
        "mailbox. Set a new one on its page."
    )


def _not_created(address: str, error: PurelymailError) -> NotCreated:
    if isinstance(error, Rejected):
        if error.is_about_token:
            return NotCreated("PurelyMail refused the panel's token.", is_outage=True)
        # The codes are not documented; what the words are about is a good guess.
        field = "password" if "password" in error.message.lower() else "local_part"
        message = error.message or "It gave no reason."
        return NotCreated(f"PurelyMail refused {address}: {message}", field=field)
    if isinstance(error, NotApplied):
        return NotCreated(
            f"PurelyMail said that it created {address}, but the mailbox is not there. "
            "Try again; nothing was changed.",
            is_outage=True,
        )
    return NotCreated(f"{address} was not created. {error.message}", is_outage=True)


@transaction.atomic(durable=True)
def _settle_failed(creation: Creation, reason: str) -> None:
    if Creation.objects.settle(creation, reason=reason):
        log.record(
            Event.MAILBOX_CREATION_FAILED,
            actor=actor_of(creation),
            target=creation.address,
            reason=reason,
        )
    # PurelyMail may know something that the mirror does not, such as the address.
    request_sync()


@transaction.atomic(durable=True)
def _settle_done(
    creation: Creation, details: UserDetails, tags: tuple[str, ...] = ()
) -> Mailbox:
    # A sync may have found the mailbox first, and told so.
    is_news = Creation.objects.settle(creation)
    entries = begin_anew(creation)
    mailbox, _ = Mailbox.objects.update_or_create(
        address=creation.address,
        defaults={
            **details.as_columns(),
            "domain": creation.address.rpartition("@")[2],
            "details_at": timezone.now(),
            "gone_at": None,
            **({"tags": list(tags)} if tags else {}),
        },
    )
    request_sync()
    actor = actor_of(creation)
    if is_news:
        entries.append(
            log.note(Event.MAILBOX_CREATED, actor=actor, target=creation.address)
        )
    if tags:
        entries.append(
            log.note(
                Event.MAILBOX_NOTED,
                actor=actor,
                target=creation.address,
                changes=f"tagged {', '.join(tags)}",
            )
        )
    log.record_many(entries)
    return mailbox


@transaction.atomic(durable=True)
def _leave_to_sync() -> None:
    request_sync()
