"""New passwords for mailboxes. What cannot be read back is tried out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of
from purelymanage.audit.events import Event
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes.models import Change, Mailbox
from purelymanage.mailboxes.operations.app_passwords import imap_account
from purelymanage.mailboxes.operations.changing import (
    LOOK_TIMEOUT,
    NotChanged,
    ask,
    claim,
    look,
    settle_failed,
    settle_unknown,
)
from purelymanage.mailboxes.operations.details import DETAIL_NAMES
from purelymanage.mailboxes.operations.hand_overs import withdraw_all_of
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import NotApplied, PurelymailError
from purelymanage.purelymail.types import UserDetails

LOGIN_TIMEOUT = 10.0  # somebody is waiting in front of a page
# Before a refused sign-in is believed: the mail server may hear of it a moment later.
PAUSES = (0.4, 1.2)
SECOND_FACTOR_ON = (
    "two-factor sign-in is on, and then mail programs are let in by app passwords only"
)


@dataclass(frozen=True, slots=True)
class PasswordSet:
    mailbox: Mailbox
    is_verified: bool  # somebody signed in with it
    doubts: list[str] = field(default_factory=list)  # in sentences


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying a password showed: it opens, it does not, or nothing (`None`)."""

    opens: bool | None
    reason: str = ""


def set_password(
    *,
    mailbox: Mailbox,
    password: str,
    actor: Actor,
    allow_reset: bool = False,
) -> PasswordSet:
    """Give a mailbox a new password, and believe it once it opens the mailbox.

    `allow_reset` lets the owner reset it from now on, which PurelyMail accepts together
    with a password only. Raises `NotChanged`, or `Refused` where PurelyMail was not
    asked at all.
    """
    change = claim(
        mailbox=mailbox,
        kind=Change.Kind.PASSWORD,
        wanted={"reset_allowed": True} if allow_reset else {},
        actor=actor,
    )
    lost = ask(
        change,
        lambda client: client.modify_user(
            mailbox.address,
            new_password=password,
            enable_password_reset=True if allow_reset else None,
        ),
    )
    try:
        details = look(get_client(timeout=LOOK_TIMEOUT), mailbox.address)
    except PurelymailError:
        seen = None  # signing in may tell all the same
    else:
        seen = details
        if details is None:
            settle_failed(change, "There is no such mailbox at PurelyMail any more.")
            raise NotChanged(f"{mailbox} is not at PurelyMail any more.")

    trial = try_password(mailbox.address, password, seen)
    if trial.opens is False:
        error = lost or NotApplied()
        settle_failed(change, error.message, seen)
        raise NotChanged(
            f"The password of {mailbox} was not changed. {error.message}",
            is_outage=lost is not None,
            was_answered=lost is None,
        )
    if trial.opens is None and lost:
        settle_unknown(change)
        raise NotChanged(
            f"Nobody knows whether {mailbox} has the new password: PurelyMail's answer "
            f"was lost, and {trial.reason}. Set a new one again.",
            is_outage=True,
        )
    _settle_done(change, seen, trial)
    mailbox.refresh_from_db()
    return PasswordSet(mailbox, bool(trial.opens), _doubts(trial, seen, change))


def try_password(address: str, password: str, details: UserDetails | None) -> Trial:
    """See whether a password opens a mailbox, whose details are as given if known."""
    if details and details.two_factor:
        return Trial(None, SECOND_FACTOR_ON)
    account = imap_account(address, password)
    for pause in (*PAUSES, None):
        try:
            check_login(account, timeout=LOGIN_TIMEOUT)
        except LoginRefused:
            if pause is not None:
                time.sleep(pause)
        except ImapError as exc:
            return Trial(
                None, f"the sign-in could not be tried ({exc.message.rstrip('.')})"
            )
        else:
            return Trial(opens=True)
    if details is None:
        return Trial(
            None,
            "the mail server lets nobody in with it, which may be because of two-factor "
            "sign-in",
        )
    return Trial(opens=False)


@transaction.atomic(durable=True)
def _settle_done(change: Change, details: UserDetails | None, trial: Trial) -> None:
    mailbox, actor = change.mailbox, actor_of(change)
    is_news = Change.objects.settle(change, Change.State.DONE)
    columns = details.as_columns() if details else {}
    if details:
        columns["details_at"] = timezone.now()
    Mailbox.objects.filter(pk=mailbox.pk).update(**columns, suspended_at=None)
    entries = withdraw_all_of(mailboxes=[mailbox], actor=actor)
    if is_news and trial.opens:
        entries.append(
            log.note(Event.MAILBOX_PASSWORD_RESET, actor=actor, target=mailbox.address)
        )
    elif is_news:
        entries.append(
            log.note(
                Event.MAILBOX_PASSWORD_UNTRIED,
                actor=actor,
                target=mailbox.address,
                reason=trial.reason,
            )
        )
    log.record_many(entries)


def _doubts(trial: Trial, details: UserDetails | None, change: Change) -> list[str]:
    doubts = []
    if not trial.opens:
        doubts.append(f"PurelyMail said yes, but nobody has tried it: {trial.reason}.")
    wanted = change.wanted.get("reset_allowed")
    if wanted and details and not details.reset_allowed:
        doubts.append(
            f"PurelyMail has {DETAIL_NAMES['reset_allowed']} off all the same."
        )
    return doubts
