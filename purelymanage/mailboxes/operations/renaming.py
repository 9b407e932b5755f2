"""Giving a mailbox another name, and writing down what has to follow it."""

from __future__ import annotations

from enum import Enum, auto

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.domains.models import Domain
from purelymanage.domains.operations import request_sync
from purelymanage.mailboxes import addresses
from purelymanage.mailboxes.followers import Rename, errands, followers, objections_to
from purelymanage.mailboxes.models import Change, Creation, FollowUp, Mailbox
from purelymanage.mailboxes.operations.app_passwords import revoke_former
from purelymanage.mailboxes.operations.changing import (
    LOOK_TIMEOUT,
    RESOLVERS,
    NotChanged,
    ask,
    claim,
    look,
    nobody_knows,
    settle_failed,
)
from purelymanage.mailboxes.operations.hand_overs import GONE, withdraw_all_of
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import NotApplied, PurelymailError
from purelymanage.purelymail.types import UserDetails

BOTH = "PurelyMail has mailboxes of both names now."
NEITHER = "PurelyMail has a mailbox of neither name any more."
# The line that finds out what has to be done, before there are others.
PLAN = ""


class NotRenamed(NotChanged):
    """Why the mailbox has its old name; `field` of the form that is to blame."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class _Names(Enum):
    NEW = auto()
    OLD = auto()
    BOTH = auto()
    NEITHER = auto()


def rename_mailbox(
    *, mailbox: Mailbox, new: str, with_rule: bool, actor: Actor
) -> Change:
    """Rename a mailbox, and believe it once the old name is gone and the new one there.

    What has to follow at PurelyMail is written down with it; see `follow_ups`. Raises
    `NotChanged`, or `Refused` where PurelyMail was not asked at all.
    """
    rename = Rename(mailbox.address, new.lower(), with_rule)
    object_to(rename, actor)
    change = claim(
        mailbox=mailbox,
        kind=Change.Kind.RENAME,
        wanted={"old": rename.old, "new": rename.new, "with_rule": with_rule},
        actor=actor,
    )
    lost = ask(
        change,
        lambda client: client.modify_user(rename.old, new_address=rename.new),
    )
    try:
        names, details = _look(get_client(timeout=LOOK_TIMEOUT), rename)
    except PurelymailError as exc:
        raise nobody_knows(rename.old) from exc
    if names == _Names.NEW and details:
        _settle_renamed(change, details)
        change.refresh_from_db()
        return change
    reason = _reason(names, lost or NotApplied())
    settle_failed(change, reason, details if names == _Names.OLD else None)
    raise NotChanged(
        f"{rename.old} was not renamed. {reason}", is_outage=lost is not None
    )


def rename_of(change: Change) -> Rename:
    wanted = change.wanted
    return Rename(wanted["old"], wanted["new"], bool(wanted["with_rule"]))


def object_to(rename: Rename, actor: Actor) -> None:
    """Raise `NotRenamed` where PurelyMail would refuse it, or it would do harm."""
    local, _, domain = rename.new.rpartition("@")
    domains = Domain.objects.present()
    if isinstance(actor, User):
        domains = domains.visible_to(actor)
    found = domains.filter(name=domain).first()
    if found is None:
        raise NotRenamed(f"{domain} is not a domain of this account.", field="domain")
    objection = addresses.object_to_local_part(local) or addresses.object_to_address(
        local, domain, has_subaddressing=found.symbolic_subaddressing
    )
    if objection:
        raise NotRenamed(objection, field="local_part")
    if rename.new == rename.old:
        raise NotRenamed("That is its name already.", field="local_part")
    if Mailbox.objects.present().filter(address=rename.new).exists():
        raise NotRenamed(f"{rename.new} exists already.", field="local_part")
    if Creation.objects.asked().filter(address=rename.new).exists():
        raise NotRenamed(f"{rename.new} is just being created.", field="local_part")
    refuse_if_pending(Kind.MAILBOX, rename.old)
    refuse_if_pending(Kind.MAILBOX, rename.new)
    if objections := objections_to(rename):
        raise NotRenamed(" ".join(objections))


def _look(
    client: PurelymailClient, rename: Rename
) -> tuple[_Names, UserDetails | None]:
    """Tell which of the names there is, and what PurelyMail says of that mailbox."""
    new, old = look(client, rename.new), look(client, rename.old)
    if new and old:
        return _Names.BOTH, None
    if new:
        return _Names.NEW, new
    return (_Names.OLD, old) if old else (_Names.NEITHER, None)


def _reason(names: _Names, error: PurelymailError) -> str:
    if names == _Names.OLD:
        return error.message
    return f"{BOTH if names == _Names.BOTH else NEITHER} Look in the portal."


def _resolve(change: Change, client: PurelymailClient) -> None:
    """Settle a rename that nobody waits for any more."""
    names, details = _look(client, rename_of(change))
    if names == _Names.NEW and details:
        _settle_renamed(change, details)
    else:
        reason = _reason(names, NotApplied("PurelyMail did not do it."))
        settle_failed(change, reason, details)


RESOLVERS[Change.Kind.RENAME] = _resolve


@transaction.atomic(durable=True)
def _settle_renamed(change: Change, details: UserDetails) -> None:
    """Let the same row, and all that names it here, have the new name."""
    if not Change.objects.settle(change, Change.State.DONE):
        return
    rename, now, actor = rename_of(change), timezone.now(), actor_of(change)
    entries = _make_way(rename.new, change.mailbox_id, actor)
    Mailbox.objects.filter(pk=change.mailbox_id).update(
        **details.as_columns(),
        address=rename.new,
        domain=rename.new_domain,
        details_at=now,
        gone_at=None,
    )
    for follower in followers():
        follower.move(rename)
    for name, errand in errands().items():
        FollowUp.objects.create(
            change=change,
            follower=name,
            key=PLAN,
            label=f"Look for {errand.word} that name {rename.old}",
            domain=rename.old_domain,
            position=-1,
        )
    # In the background: a rule takes several calls, and there may be many.
    who = change.requested_by_id
    async_task("purelymanage.mailboxes.tasks.follow_rename", change.pk, who)
    request_sync()
    entry = log.note(
        Event.MAILBOX_RENAMED, actor=actor, target=rename.new, old=rename.old
    )
    log.record_many([*entries, entry])


def _make_way(address: str, pk: int, actor: Actor) -> list[Entry]:
    """Give what is left of an earlier mailbox of this name to the one that has it.

    Returns entries, which are not written yet.
    """
    revoke_former(address=address, made_before=timezone.now())
    former = Mailbox.objects.filter(address=address).exclude(pk=pk).first()
    if former is None:
        return []
    entries = withdraw_all_of(mailboxes=[former], actor=actor, reason=GONE, what=None)
    Change.objects.asked().filter(mailbox=former).update(
        state=Change.State.UNKNOWN, settled_at=timezone.now()
    )
    for relation in Mailbox._meta.related_objects:
        field = relation.field.name
        model = relation.related_model
        model._default_manager.filter(**{field: former}).update(**{field: pk})
    former.delete()
    return entries
