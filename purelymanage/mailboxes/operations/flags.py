"""Switches of a mailbox at PurelyMail."""

from __future__ import annotations

from typing import TypedDict, Unpack

from purelymanage.audit.actors import Actor
from purelymanage.mailboxes.models import Change, Mailbox
from purelymanage.mailboxes.operations.changing import carry_out


class Flags(TypedDict, total=False):
    two_factor: bool
    reset_allowed: bool
    search_indexing: bool


def set_flags(*, mailbox: Mailbox, actor: Actor, **flags: Unpack[Flags]) -> None:
    """Switch what is named on or off. Raises `NotChanged` or `Refused`."""
    carry_out(
        mailbox=mailbox,
        kind=Change.Kind.FLAGS,
        wanted=dict(flags),
        actor=actor,
        call=lambda client: client.modify_user(
            mailbox.address,
            require_two_factor=flags.get("two_factor"),
            enable_password_reset=flags.get("reset_allowed"),
            enable_search_indexing=flags.get("search_indexing"),
        ),
    )
