from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.models import Rule


@dataclass(frozen=True)
class Section:
    """A part of the panel as the side bar names it. `key` follows a "g"."""

    name: str
    path: str
    icon: str
    key: str
    right: Right | None = None
    count: Callable[[User], int] | None = None


def _mailboxes(user: User) -> int:
    return Mailbox.objects.visible_to(user).present().count()


def _domains(user: User) -> int:
    return Domain.objects.visible_to(user).present().count()


def _rules(user: User) -> int:
    return Rule.objects.visible_to(user).present().count()


SECTIONS = [
    Section("Dashboard", "/", "dashboard", "d"),
    Section(
        "Mailboxes", "/mailboxes/", "mailbox", "m", Right.SEE_MAILBOXES, _mailboxes
    ),
    Section("Domains", "/domains/", "domain", "o", Right.SEE_DOMAINS, _domains),
    Section("Routing", "/routing/", "route", "r", Right.SEE_ROUTING, _rules),
    Section("Migrations", "/migrations/", "move", "i", Right.SEE_MIGRATIONS),
    Section("Audit", "/audit/", "audit", "a", Right.SEE_AUDIT),
]


@dataclass(frozen=True)
class Entry:
    section: Section
    count: str
    is_current: bool


def entries(user: User, path: str) -> list[Entry]:
    """Return the sections that this person has, as they stand beside `path`."""
    return [
        Entry(
            section=section,
            count=f"{section.count(user):,}".replace(",", "\u202f")
            if section.count
            else "",
            is_current=path == section.path
            or (section.path != "/" and path.startswith(section.path)),
        )
        for section in SECTIONS
        if section.right is None or user.may(section.right)
    ]
