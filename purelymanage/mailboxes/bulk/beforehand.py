"""What other apps do before many mailboxes change at once, such as to remember them."""

from __future__ import annotations

from collections.abc import Callable

from purelymanage.accounts.models import User

# In the transaction that starts the change, before anything else is written.
Beforehand = Callable[[User], None]

_registered: list[Beforehand] = []


def register_beforehand(deed: Beforehand) -> None:
    if deed not in _registered:
        _registered.append(deed)


def do_beforehand(actor: User) -> None:
    for deed in _registered:
        deed(actor)
