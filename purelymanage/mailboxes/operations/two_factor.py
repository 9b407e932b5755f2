"""Two-factor sign-in, switched on in the order that locks nobody out."""

from __future__ import annotations

from purelymanage.audit.actors import Actor
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.changing import NotChanged
from purelymanage.mailboxes.operations.flags import set_flags
from purelymanage.mailboxes.operations.recovery import read_again, save_recovery
from purelymanage.mailboxes.recovery import Method


def switch_on_two_factor(
    *, mailbox: Mailbox, actor: Actor, method: Method | None = None
) -> None:
    """Have the owner sign in with a second factor, after a way back in exists.

    `method` is added first where the mailbox has none yet.
    """
    read_again(mailbox)
    if mailbox.two_factor:
        raise Refused("Two-factor sign-in is on already.")
    if mailbox.recovery_methods:
        set_flags(mailbox=mailbox, two_factor=True, actor=actor)
        return
    if method is None:
        raise Refused(
            "Two-factor sign-in needs a recovery method first, or a lost phone locks "
            "the owner out for good."
        )
    save_recovery(mailbox=mailbox, method=method, actor=actor)
    try:
        set_flags(mailbox=mailbox, two_factor=True, actor=actor)
    except Refused as exc:
        mailbox.refresh_from_db()
        raise NotChanged(
            f"{method.target} is a recovery method now. Two-factor sign-in, though: "
            f"{exc}",
            is_outage=isinstance(exc, NotChanged) and exc.is_outage,
        ) from exc


def switch_off_two_factor(*, mailbox: Mailbox, actor: Actor) -> None:
    """Let the password alone open the mailbox."""
    set_flags(mailbox=mailbox, two_factor=False, actor=actor)
