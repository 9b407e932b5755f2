"""How a mailbox is deleted, and locked until then."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.models import Agent
from purelymanage.deletions import registry
from purelymanage.deletions.impact import (
    Account,
    Impact,
    Line,
    count,
    rule_fact,
)
from purelymanage.deletions.models import Kind
from purelymanage.deletions.registry import Companion, Subject, believe
from purelymanage.domains.operations import request_sync
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.app_passwords import revoke_every
from purelymanage.mailboxes.operations.hand_overs import withdraw_of_locked
from purelymanage.mailboxes.operations.passwords import try_password
from purelymanage.mailboxes.operations.suspension import unknown_password
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.purelymail.errors import NotApplied, Rejected, Unavailable


class MailboxHandler:
    word = "mailbox"

    def find(self, keys: list[str], user: User) -> list[Subject]:
        mine = Mailbox.objects.visible_to(user).present().filter(address__in=keys)
        found = dict(mine.values_list("address", "domain"))
        return [Subject(it, it, found[it]) for it in keys if it in found]

    def impact(self, key: str, account: Account) -> Impact | None:
        if not account.has_user(key):
            return None
        # What that means for the rules is said by those who know how mail goes.
        aiming = account.pointing_to(key)
        line = Line("mailbox", "all its mail")
        return Impact((line,), frozenset(map(rule_fact, aiming)))

    def execute(self, client: PurelymailClient, key: str) -> None:
        client.delete_user(key)

    def is_gone(self, client: PurelymailClient, key: str) -> bool:
        """Tell by the list and by the mailbox itself, as the list ends at 1,000."""
        if key in believe(client.list_users(), "users"):
            return False
        try:
            client.get_user(key)
        except Rejected as exc:
            if exc.is_about_token:
                raise
            return True
        return False

    def forget(self, key: str) -> None:
        Mailbox.objects.present().filter(address=key).update(gone_at=timezone.now())
        request_sync()


class Lock:
    """A random password that nobody keeps. Mail still arrives."""

    can_be_undone = False

    def object_to(self, key: str, target: str) -> str:
        return ""

    def prepare(
        self, client: PurelymailClient, key: str, target: str
    ) -> dict[str, Any]:
        return {"two_factor": client.get_user(key).two_factor}

    def take(self, client: PurelymailClient, key: str, target: str) -> dict[str, Any]:
        password = unknown_password()
        client.modify_user(key, new_password=password)
        for companion in registry.companions():
            companion.lock(key)
        details = client.get_user(key)
        trial = try_password(key, password, details)
        if trial.opens is False:
            raise NotApplied
        # With a second factor no password opens IMAP, the right one neither.
        if trial.opens is None and not details.two_factor:
            raise Unavailable("The new password is set, but could not be tried yet.")
        return {}

    def undo(
        self, client: PurelymailClient, key: str, target: str, known: dict[str, Any]
    ) -> None:
        """Do nothing: the old password is not known to anybody here."""

    def remember(self, key: str, target: str, known: dict[str, Any]) -> None:
        """Do nothing: the mirror holds no passwords."""

    def forget(self, known: dict[str, Any]) -> None:
        """Do nothing."""


def listed() -> list[str]:
    return list(Mailbox.objects.present().values_list("address", flat=True))


def _lines(kind: str, keys: list[str], account: Account) -> dict[str, list[Line]]:
    """Return who would lose a way to recover a password."""
    if kind != Kind.MAILBOX or not keys:
        return {}
    lines: dict[str, list[Line]] = {key: [] for key in keys}
    people = User.objects.filter(is_active=True).annotate(written=Lower("email"))
    signing_in = people.filter(written__in=[key.lower() for key in keys])
    for key in {*signing_in.values_list("written", flat=True)}.intersection(keys):
        note = "Links to set a new password for this panel go there."
        lines[key].append(Line("person", "1 person", "signs in here with it", note))
    for key, names in _relying_on(keys).items():
        what = count(len(names), "mailbox", "mailboxes")
        verb = "recovers its password" if len(names) == 1 else "recover their passwords"
        lines[key].append(Line("key", what, f"{verb} through it", names=tuple(names)))
    return lines


def _relying_on(keys: list[str]) -> dict[str, list[tuple[str, str]]]:
    """Return which mailboxes recover their password through each of these."""
    ways = [Q(recovery_methods__contains=[_way(key)]) for key in keys]
    relying = Mailbox.objects.present().filter(reduce(or_, ways))
    found: dict[str, list[tuple[str, str]]] = {}
    for address, domain, methods in relying.values_list(
        "address", "domain", "recovery_methods"
    ):
        for key in keys:
            is_way = any(_way(key).items() <= it.items() for it in methods)
            if is_way and address != key:
                found.setdefault(key, []).append((address, domain))
    return found


def _way(key: str) -> dict[str, str]:
    return {"type": "email", "target": key}


def _forget(kind: str, key: str) -> None:
    if kind == Kind.DOMAIN:
        Mailbox.objects.present().filter(domain=key).update(gone_at=timezone.now())


def _lock(address: str) -> None:
    revoke_every(address=address, actor=Agent.PANEL)
    withdraw_of_locked(address=address, actor=Agent.PANEL)


COMPANION = Companion(lines=_lines, forget=_forget, lock=_lock)
