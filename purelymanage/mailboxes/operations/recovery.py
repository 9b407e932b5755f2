"""Recovery methods: how an owner sets a new password without an administrator."""

from __future__ import annotations

from dataclasses import asdict

from purelymanage.audit.actors import Actor
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Change, Mailbox
from purelymanage.mailboxes.operations.changing import (
    LOOK_TIMEOUT,
    TOKEN_REFUSED,
    NotChanged,
    carry_out,
)
from purelymanage.mailboxes.operations.details import refresh_details
from purelymanage.mailboxes.recovery import Method, same_target
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import PurelymailError, Rejected


def save_recovery(
    *, mailbox: Mailbox, method: Method, actor: Actor, replaces: str = ""
) -> None:
    """Add a recovery method, or put it in place of the one whose target `replaces` is.

    Raises `NotChanged`, or `Refused` where PurelyMail was not asked to change anything.
    """
    read_again(mailbox)
    targets = [it["target"] for it in mailbox.recovery_methods]
    if replaces and replaces not in targets:
        raise Refused(f"{replaces} is not a recovery method of {mailbox} any more.")
    if same_target(method.target, mailbox.address):
        raise Refused(
            f"{mailbox} cannot recover itself: somebody who is locked out cannot read "
            "what is sent there."
        )
    others = [it for it in targets if it != replaces]
    if any(same_target(method.target, other) for other in others):
        raise Refused(f"{method.target} is a recovery method of {mailbox} already.")
    carry_out(
        mailbox=mailbox,
        kind=Change.Kind.RECOVERY_SAVED,
        wanted={**asdict(method), "replaces": replaces},
        actor=actor,
        call=lambda client: client.upsert_password_reset(
            mailbox.address,
            type=method.type,
            target=method.target,
            existing_target=replaces or None,
            description=method.description,
            allow_mfa_reset=method.allow_mfa_reset,
        ),
    )


def remove_recovery(*, mailbox: Mailbox, target: str, actor: Actor) -> None:
    """Remove the recovery method with this target, and no other."""
    read_again(mailbox)
    targets = [it["target"] for it in mailbox.recovery_methods]
    if target not in targets:
        raise Refused(f"{target} is not a recovery method of {mailbox} any more.")
    if mailbox.two_factor and len(targets) == 1:
        raise Refused(
            "This is the last recovery method, and two-factor sign-in needs one. "
            "Switch two-factor sign-in off first."
        )
    carry_out(
        mailbox=mailbox,
        kind=Change.Kind.RECOVERY_REMOVED,
        wanted={"target": target},
        actor=actor,
        call=lambda client: client.delete_password_reset(mailbox.address, target),
    )


def read_again(mailbox: Mailbox) -> None:
    """Read the details before deciding by them: the mirror may be a week old."""
    try:
        refresh_details(mailbox=mailbox, client=get_client(timeout=LOOK_TIMEOUT))
    except PurelymailError as exc:
        is_token = isinstance(exc, Rejected) and exc.is_about_token
        reason = TOKEN_REFUSED if is_token else exc.message
        raise NotChanged(
            f"{mailbox} was not changed. {reason}", is_outage=True
        ) from exc
    mailbox.refresh_from_db(
        fields=["two_factor", "reset_allowed", "recovery_methods", "details_at"]
    )
