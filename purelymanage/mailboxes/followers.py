"""What hangs on the name of a mailbox. Apps to the right register what is theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from purelymanage.accounts.models import User
from purelymanage.audit.actors import Actor
from purelymanage.deletions.impact import Line
from purelymanage.purelymail.client import PurelymailClient


@dataclass(frozen=True, slots=True)
class Rename:
    """`with_rule`: mail to the old name is to reach the mailbox under its new one."""

    old: str
    new: str
    with_rule: bool = True

    @property
    def old_domain(self) -> str:
        return self.old.rpartition("@")[2]

    @property
    def new_domain(self) -> str:
        return self.new.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do afterwards, for `do`. `domain` is that of what it names."""

    key: str
    label: str
    domain: str
    position: int = 0


class Follower(Protocol):
    def lines(self, rename: Rename, user: User) -> Iterable[Line]:
        """Return what the rename touches, as far as the mirror knows."""

    def objections(self, rename: Rename) -> Iterable[str]:
        """Return why the mailbox may not be renamed just now, in sentences."""

    def move(self, rename: Rename) -> None:
        """Follow here, in the transaction that settles the rename."""


class Errands(Protocol):
    """What an app has to do at PurelyMail after a rename."""

    @property
    def word(self) -> str:
        """Return what it looks after, such as “rules”."""

    def plan(
        self, rename: Rename, actor: Actor, client: PurelymailClient
    ) -> Iterable[Task]:
        """Return what has to be done at PurelyMail, outside any transaction."""

    def do(
        self, rename: Rename, key: str, actor: Actor, client: PurelymailClient
    ) -> str:
        """Do one of these, asked again with no harm; return what was done.

        Raises `Refused`, with a true `is_outage` where trying again may help, or what
        the client raises.
        """


_followers: dict[str, Follower] = {}
_errands: dict[str, Errands] = {}


def register_follower(name: str, follower: Follower) -> None:
    _followers[name] = follower


def register_errands(name: str, errands: Errands) -> None:
    _errands[name] = errands


def followers() -> list[Follower]:
    return list(_followers.values())


def errands() -> dict[str, Errands]:
    return dict(_errands)


def lines_of(rename: Rename, user: User) -> list[Line]:
    """Return all that a rename touches, as far as anybody here knows."""
    return [line for it in _followers.values() for line in it.lines(rename, user)]


def objections_to(rename: Rename) -> list[str]:
    return [reason for it in _followers.values() for reason in it.objections(rename)]


def digest(lines: Iterable[Line]) -> str:
    """Return a short sign by which a form knows what a person was shown."""
    text = "\n".join(f"{it.what} {it.more} {it.note} {it.names}" for it in lines)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
