from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.deletions.models import PendingDeletion
from purelymanage.domains.models import Domain
from purelymanage.figures import thin
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Run
from purelymanage.routing.models import Rule


@dataclass(frozen=True)
class Section:
    """A part of the panel as the side bar names it. `key` follows a "g"."""

    name: str
    url: str
    icon: str
    key: str
    right: Right | None = None
    count: Callable[[User], str] | None = None
    is_apart: bool = False
    also: str = ""  # where more of its pages are


def _mailboxes(user: User) -> str:
    return thin(Mailbox.objects.visible_to(user).present().count())


def _domains(user: User) -> str:
    return thin(Domain.objects.visible_to(user).present().count())


def _rules(user: User) -> str:
    return thin(Rule.objects.visible_to(user).present().count())


def _copies(user: User) -> str:
    running = Run.objects.visible_to(user).running().count()
    return f"{thin(running)} running" if running else ""


def _deletions(user: User) -> str:
    waiting = PendingDeletion.objects.visible_to(user).open().count()
    return thin(waiting) if waiting else ""


SECTIONS = [
    Section("Dashboard", "dashboard", "dashboard", "d"),
    Section(
        "Mailboxes",
        "mailboxes:mailbox-list",
        "mailbox",
        "m",
        Right.SEE_MAILBOXES,
        _mailboxes,
    ),
    Section(
        "Domains", "domains:domain-list", "domain", "o", Right.SEE_DOMAINS, _domains
    ),
    Section("Routing", "routing:rule-list", "route", "r", Right.SEE_ROUTING, _rules),
    Section(
        "Migrations",
        "migrations:job-list",
        "move",
        "i",
        Right.SEE_MIGRATIONS,
        _copies,
    ),
    Section(
        "Deletions",
        "deletions:deletion-list",
        "trash",
        "x",
        Right.SEE_DOMAINS,
        _deletions,
    ),
    Section("Audit", "entry-list", "audit", "a", Right.SEE_AUDIT),
    Section(
        "Settings",
        "settings:profile",
        "settings",
        "s",
        is_apart=True,
        also="/accounts/",
    ),
]


@dataclass(frozen=True)
class Entry:
    section: Section
    path: str
    count: str
    is_current: bool


def entries(user: User, path: str) -> list[Entry]:
    """Return the sections that this person has, as they stand beside `path`."""
    found = []
    for section in SECTIONS:
        if section.right is not None and not user.may(section.right):
            continue
        start = reverse(section.url)
        # Every path is below the dashboard's.
        is_within = section.url != "dashboard" and path.startswith(start)
        is_within |= bool(section.also) and path.startswith(section.also)
        found.append(
            Entry(
                section=section,
                path=start,
                count=section.count(user) if section.count else "",
                is_current=path == start or is_within,
            )
        )
    return found
