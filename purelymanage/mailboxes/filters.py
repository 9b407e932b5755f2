"""Which mailboxes a person asks for, as the address of the list says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict

from purelymanage.accounts.models import User
from purelymanage.mailboxes.models.mailboxes import Mailbox, MailboxQuerySet

LONGEST_SEARCH = 200
MOST_TAGS = 20

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Switch:
    """A filter with a fixed meaning: `name=value` in the address of the list."""

    name: str
    value: str
    words: str
    narrow: Callable[[MailboxQuerySet], MailboxQuerySet]


TWO_FACTOR = (
    Switch("two_factor", "on", "Two-factor on", lambda it: it.with_two_factor("on")),
    Switch("two_factor", "off", "Two-factor off", lambda it: it.with_two_factor("off")),
)
SIGNING_IN = (
    Switch(
        "recovery",
        "none",
        "No sign of a recovery method",
        lambda it: it.without_recovery(),
    ),
    Switch("reset", "off", "Owner may not reset", lambda it: it.without_reset()),
    Switch("suspended", "yes", "Suspended", lambda it: it.suspended()),
)
IN_PANEL = (
    Switch("deletion", "pending", "To be deleted", lambda it: it.to_be_deleted()),
    Switch("made", "elsewhere", "Created elsewhere", lambda it: it.made_elsewhere()),
    Switch(
        "details", "unread", "Details not read yet", lambda it: it.without_details()
    ),
    Switch("gone", "yes", "Gone from PurelyMail", lambda it: it.gone()),
)
SWITCHES = (*TWO_FACTOR, *SIGNING_IN, *IN_PANEL)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, and the address of the list without it."""

    words: str
    query: str


@dataclass(frozen=True, slots=True)
class MailboxFilter:
    words: str = ""
    domain: str = ""
    switches: tuple[Switch, ...] = ()
    tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """Take what is asked for from an address or a form; nonsense asks for nothing."""
        return cls(
            words=_clean(data.get("q"))[:LONGEST_SEARCH],
            domain=_clean(data.get("domain")).lower(),
            switches=tuple(it for it in SWITCHES if data.get(it.name) == it.value),
            tags=tuple(dict.fromkeys(filter(None, map(_clean, data.getlist("tag")))))[
                :MOST_TAGS
            ],
        )

    def __bool__(self) -> bool:
        return bool(self.pairs)

    @property
    def pairs(self) -> Pairs:
        """The parameters that ask for the same, always in the same order."""
        found = [("q", self.words), ("domain", self.domain)]
        found += [(it.name, it.value) for it in self.switches]
        found += [("tag", tag) for tag in self.tags]
        return [(name, value) for name, value in found if value]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    @property
    def wants_gone(self) -> bool:
        return any(it.name == "gone" for it in self.switches)

    def has(self, switch: Switch) -> bool:
        return switch in self.switches

    def narrow(self, mailboxes: MailboxQuerySet) -> MailboxQuerySet:
        """Return those of `mailboxes` that are asked for; gone ones only on demand."""
        found = mailboxes if self.wants_gone else mailboxes.present()
        for switch in self.switches:
            found = switch.narrow(found)
        if self.domain:
            found = found.filter(domain=self.domain)
        return found.tagged(self.tags).search(self.words)

    def chips(self, kept: Pairs) -> list[Chip]:
        """Return the filters one by one; `kept` stays when one of them is taken away."""
        words = {
            ("q", self.words): f"“{self.words}”",
            ("domain", self.domain): self.domain,
        }
        words |= {(it.name, it.value): it.words for it in self.switches}
        words |= {("tag", tag): f"Tag {tag}" for tag in self.tags}
        return [
            Chip(words[pair], urlencode([it for it in self.pairs if it != pair] + kept))
            for pair in self.pairs
        ]

    def in_words(self) -> str:
        """Say what is asked for in the audit log."""
        return ", ".join(chip.words for chip in self.chips([])) or "all of them"


def chosen_addresses(data: QueryDict, user: User) -> list[str]:
    """Return what somebody ticked in the list, or all that its filter finds."""
    if not data.get("all"):
        return data.getlist("key")
    found = MailboxFilter.read(data).narrow(Mailbox.objects.visible_to(user).all())
    return list(found.order_by("address").values_list("address", flat=True))


def _clean(value: str | None) -> str:
    """PostgreSQL knows no NUL, and nobody means it."""
    return (value or "").replace("\0", "").strip()
