"""How a mailbox is deleted, and locked until then."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.models import Agent
from purelymanage.deletions import registry
from purelymanage.deletions.impact import (
    Account,
    Impact,
    Line,
    count,
    points_to,
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

    def find(self, key: str, user: User) -> Subject | None:
        mine = Mailbox.objects.visible_to(user).present()
        found = mine.filter(address=key).first()
        if found is None:
            return None
        return Subject(found.address, found.address, found.domain)

    def impact(self, key: str, account: Account) -> Impact | None:
        if key not in account.users:
            return None
        # What that means for the rules is said by those who know how mail goes.
        aiming = [rule for rule in account.rules if points_to(rule, key)]
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


def _lines(kind: str, key: str, account: Account) -> list[Line]:
    """Return who would lose a way to recover a password."""
    if kind != Kind.MAILBOX:
        return []
    lines = []
    if User.objects.filter(email__iexact=key, is_active=True).exists():
        note = "Links to set a new password for this panel go there."
        lines.append(Line("person", "1 person", "signs in here with it", note))
    relying = Mailbox.objects.present().filter(
        recovery_methods__contains=[{"type": "email", "target": key}]
    )
    names = tuple(relying.exclude(address=key).values_list("address", "domain"))
    if not names:
        return lines
    what = count(len(names), "mailbox", "mailboxes")
    verb = "recovers its password" if len(names) == 1 else "recover their passwords"
    return [*lines, Line("key", what, f"{verb} through it", names=names)]


def _forget(kind: str, key: str) -> None:
    if kind == Kind.DOMAIN:
        Mailbox.objects.present().filter(domain=key).update(gone_at=timezone.now())


def _lock(address: str) -> None:
    revoke_every(address=address, actor=Agent.PANEL)
    withdraw_of_locked(address=address, actor=Agent.PANEL)


COMPANION = Companion(lines=_lines, forget=_forget, lock=_lock)
