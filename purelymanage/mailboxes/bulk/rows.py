"""What is done to one mailbox of a bulk change.

Each may have been begun by a worker that died in the middle, so each first looks at
what became of that. Doing any of it twice ends as doing it once.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.deletions.operations import requests
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk import creating
from purelymanage.mailboxes.bulk.wording import deed, may_carry_out
from purelymanage.mailboxes.bulk.work import Outcome, Work
from purelymanage.mailboxes.models import Bulk, BulkRow, Change, Mailbox
from purelymanage.mailboxes.operations import app_passwords, changing
from purelymanage.mailboxes.operations.flags import Flags, set_flags
from purelymanage.mailboxes.operations.hand_overs import make_hand_over
from purelymanage.mailboxes.operations.passwords import set_password
from purelymanage.mailboxes.operations.recovery import read_again, save_recovery
from purelymanage.mailboxes.operations.tags import change_tags
from purelymanage.mailboxes.passwords import make_password, object_to_strength
from purelymanage.mailboxes.recovery import Method, same_target
from purelymanage.purelymail.client import get_client

State = BulkRow.State
NOT_THERE = "It is not at PurelyMail any more."
NOT_KEPT = (
    "Its password is not kept here any more. Upload the file again to try once more."
)


def carry_out(bulk: Bulk, row: BulkRow) -> Outcome:
    """Do what a row asks for, whatever an earlier attempt has done of it.

    Raises `Refused`, or what the client raises where an earlier attempt is looked into.
    """
    actor: User = bulk.requested_by
    match bulk.kind:
        case Bulk.Kind.CREATE if row.verdict == BulkRow.Verdict.NEW:
            return _create(row, actor)
        case Bulk.Kind.CREATE:
            return _change(row, actor)
        case Bulk.Kind.RESET:
            return _reset(bulk, row, actor)
        case Bulk.Kind.FLAGS:
            return _switch(row, bulk.wishes["flags"], actor)
    return _tag(bulk, row, actor)


def prepared(bulk: Bulk, row: BulkRow) -> dict[str, Any]:
    """Return what is kept before a row is begun: its password, made if nobody gave it."""
    secret = row.secret
    if not (secret or row.wishes.get("is_given")) and needs_password(bulk, row):
        secret = crypto.seal(make_password(), bound_to=row.secret_place)
    return {"started_at": row.started_at or timezone.now(), "secret": secret}


def needs_password(bulk: Bulk, row: BulkRow) -> bool:
    if bulk.kind == Bulk.Kind.RESET:
        return True
    return bulk.kind == Bulk.Kind.CREATE and (
        row.verdict == BulkRow.Verdict.NEW or row.wishes.get("sets_password", False)
    )


def _create(row: BulkRow, actor: User) -> Outcome:
    password = _password(row)
    mailbox, doubts = creating.create(row, password, actor)
    missed = _bring_about(mailbox, row, actor)
    link = make_hand_over(mailbox=mailbox, password=password, actor=actor)
    reason = " ".join([*doubts, *missed])
    return Outcome(State.DONE, reason, {"hand_over": link.hand_over})


def _change(row: BulkRow, actor: User) -> Outcome:
    mailbox = _begin(row, actor)
    read_again(mailbox)
    mailbox.refresh_from_db()
    missed = _bring_about(mailbox, row, actor)
    kept = {}
    doubts: list[str] = []
    if row.wishes.get("sets_password"):
        password = _password(row)
        wants_reset = row.wishes.get("reset_allowed") is True
        doubts = set_password(
            mailbox=mailbox,
            password=password,
            actor=actor,
            allow_reset=wants_reset and not mailbox.reset_allowed,
        ).doubts
        link = make_hand_over(mailbox=mailbox, password=password, actor=actor)
        kept = {"hand_over": link.hand_over}
    state = State.FAILED if missed else State.DONE
    return Outcome(state, " ".join([*missed, *doubts]), kept)


def _reset(bulk: Bulk, row: BulkRow, actor: User) -> Outcome:
    mailbox = _begin(row, actor)
    password = _password(row)
    doubts = set_password(mailbox=mailbox, password=password, actor=actor).doubts
    if bulk.wishes.get("revoke_app_passwords"):
        doubts += app_passwords.revoke_kept(address=mailbox.address, actor=actor)
    link = make_hand_over(mailbox=mailbox, password=password, actor=actor)
    return Outcome(State.DONE, " ".join(doubts), {"hand_over": link.hand_over})


def _switch(row: BulkRow, flags: Flags, actor: User) -> Outcome:
    """Switch what is not so yet, by what PurelyMail says now: mirrors may be old."""
    mailbox = _begin(row, actor)
    read_again(mailbox)
    mailbox.refresh_from_db()
    if all(getattr(mailbox, name) == value for name, value in flags.items()):
        return Outcome(State.SAME if row.attempt == 1 else State.DONE)
    if flags.get("two_factor") and not mailbox.recovery_methods:
        raise Refused(
            "It has no recovery method, and two-factor sign-in needs one, or a lost "
            "phone locks the owner out for good."
        )
    set_flags(mailbox=mailbox, actor=actor, **flags)
    return Outcome(State.DONE)


def _tag(bulk: Bulk, row: BulkRow, actor: User) -> Outcome:
    mailbox = _present(row)
    changed = change_tags(
        mailbox=mailbox,
        add=bulk.wishes.get("add", []),
        remove=bulk.wishes.get("remove", []),
        actor=actor,
    )
    return Outcome(State.DONE if changed or row.attempt > 1 else State.SAME)


def _bring_about(mailbox: Mailbox, row: BulkRow, actor: User) -> list[str]:
    """Make true what a row wants beside the password; say what did not work.

    What is true already is left alone. An outage is raised: the row comes again.
    """
    missed = []
    for step in (_set_flags, _add_recovery, _add_tags):
        try:
            step(mailbox, row, actor)
        except Refused as exc:
            if getattr(exc, "is_outage", False):
                raise
            missed.append(str(exc))
    return missed


def _set_flags(mailbox: Mailbox, row: BulkRow, actor: User) -> None:
    flags: Flags = {}
    for name in ("reset_allowed", "search_indexing"):
        value = row.wishes.get(name)
        if value is not None and getattr(mailbox, name) != value:
            flags[name] = value
    # Together with a new password only, which then does it.
    if flags.get("reset_allowed") and row.wishes.get("sets_password"):
        del flags["reset_allowed"]
    if flags:
        set_flags(mailbox=mailbox, actor=actor, **flags)
        mailbox.refresh_from_db()


def _add_recovery(mailbox: Mailbox, row: BulkRow, actor: User) -> None:
    for kind in ("email", "phone"):
        target = row.wishes.get(f"recovery_{kind}", "")
        known = [method["target"] for method in mailbox.recovery_methods]
        if target and not any(same_target(target, it) for it in known):
            save_recovery(mailbox=mailbox, method=Method(kind, target), actor=actor)
            mailbox.refresh_from_db()


def _add_tags(mailbox: Mailbox, row: BulkRow, actor: User) -> None:
    if tags := row.wishes.get("tags"):
        change_tags(mailbox=mailbox, add=tags, remove=[], actor=actor)


def _begin(row: BulkRow, actor: User) -> Mailbox:
    """Return the mailbox, with an earlier attempt's change of it settled."""
    mailbox = _present(row)
    if row.attempt > 1:
        begun = Change.objects.asked().filter(
            mailbox=mailbox, requested_by=actor, requested_at__gte=row.started_at
        )
        for change in begun:
            changing.resolve(change, get_client())
        mailbox.refresh_from_db()
    return mailbox


def _present(row: BulkRow) -> Mailbox:
    mailbox = Mailbox.objects.present().filter(address=row.address).first()
    if mailbox is None:
        raise Refused(NOT_THERE)
    return mailbox


def _password(row: BulkRow) -> str:
    if not row.secret:
        raise Refused(NOT_KEPT)
    password = crypto.unseal(row.secret, bound_to=row.secret_place)
    # The preview rates passwords for as long as somebody may have to wait for it.
    if row.wishes.get("is_unrated"):
        objection = object_to_strength(password, row.address)
        if objection:
            raise Refused(objection)
    return password


def request_deletions(bulk: Bulk, row: BulkRow) -> bool:
    """Put all rows into the queue of deletions at once, as its rules want it.

    One by one, a second person would not be asked, who is asked for many at once.
    """
    if bulk.kind != Bulk.Kind.DELETE:
        return False
    actor: User = bulk.requested_by
    addresses = list(bulk.rows.open().values_list("address", flat=True))
    begun = PendingDeletion.objects.open().filter(
        kind=Kind.MAILBOX,
        key__in=addresses,
        requested_by=actor,
        requested_at__gte=bulk.started_at,
    )
    state, reason = State.DONE, ""
    if not begun.exists():
        try:
            requests.request_deletions(
                kind=Kind.MAILBOX,
                keys=addresses,
                shown=bulk.wishes["shown"],
                actor=actor,
                reason=bulk.wishes.get("reason", ""),
            )
        except Refused as exc:
            state, reason = State.FAILED, str(exc)
    bulk.rows.open().update(state=state, reason=reason, settled_at=timezone.now())
    return True


def _object_to_retry(bulk: Bulk) -> str:
    if bulk.kind == Bulk.Kind.DELETE:
        return "Choose the mailboxes again, to see again what goes with them."
    return ""


WORK = Work[Bulk, BulkRow](
    word="mailbox",
    task="purelymanage.mailboxes.bulk.tasks.run_bulk",
    bulks=Bulk.objects.all,
    rows=BulkRow.objects.all,
    may_carry_out=may_carry_out,
    deed=deed,
    carry_out=carry_out,
    do_together=request_deletions,
    prepared=prepared,
    wiped={"secret": ""},
    asks_purelymail=lambda bulk: bulk.kind != Bulk.Kind.TAG,
    object_to_retry=_object_to_retry,
)
