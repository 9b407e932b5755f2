"""What other apps know about a mailbox. They register sections of its page here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from purelymanage.accounts.models import User
from purelymanage.mailboxes.models import Mailbox


@dataclass(frozen=True, slots=True)
class Section:
    """A fragment that draws itself from `facts`, and asks nobody else."""

    template: str
    facts: dict[str, Any]


# For a mailbox and who asks; nothing for whom it is not.
Provider = Callable[[Mailbox, User], Section | None]

_providers: list[Provider] = []


def register_section(provider: Provider) -> None:
    if provider not in _providers:
        _providers.append(provider)


def sections_of(mailbox: Mailbox, user: User) -> list[Section]:
    """Return what the apps to the right have to say, in their order."""
    found = (provider(mailbox, user) for provider in _providers)
    return [section for section in found if section is not None]
