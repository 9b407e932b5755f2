"""Replacing a rule by another one, never losing both and never leaving both.

PurelyMail refuses two rules for the same addresses, so where those stay the same the
old rule has to go first, and mail takes another way for a moment. Each step looks at
the rules and does the next thing; a sweep goes on where a process died.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of, as_columns
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.deletions.registry import believe
from purelymanage.domains.operations import request_sync
from purelymanage.errors import Refused
from purelymanage.purelymail import types
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import (
    NotApplied,
    PurelymailError,
    Rejected,
    Unavailable,
)
from purelymanage.routing.deeds import deed, fields_of, find, find_rival, matching
from purelymanage.routing.models import Expiry, Rewrite, Rule

AT_ONCE = 10
# Delete and create, there and back, and a look after each: more is going in circles.
MOST_STEPS = 10
LONGEST_PAUSE = 60  # minutes
GONE = "The rule is not there any more."
LOST = "Another process has taken it over."


class NotReplaced(Refused):
    """Why the old rule is still the one, or that nobody knows yet (`is_outage`)."""

    def __init__(self, message: str, *, is_outage: bool = False) -> None:
        super().__init__(message)
        self.is_outage = is_outage


class Deed(Enum):
    DELETE = auto()
    CREATE = auto()
    END = auto()
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Step:
    deed: Deed
    rule_id: int = 0
    reason: str = ""


def replace_rule(*, rule: Rule, new: dict[str, Any], actor: Actor) -> Rewrite:
    """Let a rule be `new` (domain, match_user, prefix, catchall, targets) instead.

    Raises `NotReplaced`; where `is_outage`, the sweep brings it to its end.
    """
    rewrite = _claim(rule, new, actor)
    try:
        work(rewrite, get_client())
    except PurelymailError as exc:
        _put_off(rewrite, exc.message)
        raise NotReplaced(
            f"Nobody knows yet whether the rule for {rewrite.pattern} was replaced. "
            f"{exc.message} The panel goes on by itself.",
            is_outage=True,
        ) from exc
    if rewrite.state != Rewrite.State.DONE:
        raise NotReplaced(
            f"The rule for {rewrite.pattern} was not replaced. {rewrite.reason}"
        )
    return rewrite


def repair_due() -> int:
    """Go on with what a crash or an outage left open; return how many were settled."""
    settled = 0
    for rewrite in Rewrite.objects.due(timezone.now())[:AT_ONCE]:
        if not _take_over(rewrite):
            continue
        try:
            work(rewrite, get_client())
        except PurelymailError as exc:
            _put_off(rewrite, exc.message)
        else:
            settled += 1
    return settled


def work(rewrite: Rewrite, client: PurelymailClient) -> None:
    """Do one step after the other until one of the two rules is there alone.

    Raises `Unavailable` where that cannot be told, or is not so yet.
    """
    last: Step | None = None
    trouble: PurelymailError | None = None
    for _ in range(MOST_STEPS):
        rules = believe(client.list_routing_rules(), "rules")
        step = next_step(rewrite, rules)
        if step == last:
            # What was asked for has not happened.
            if isinstance(trouble, Unavailable):
                raise trouble
            step = _turn_back(rewrite, rules, trouble or NotApplied())
        if step.deed == Deed.END:
            _settle(rewrite, rules, step.reason or rewrite.reason)
            return
        if step.deed == Deed.GIVE_UP:
            raise Unavailable(step.reason)
        _hold(rewrite, step)
        last, trouble = step, _carry_out(rewrite, step, client)
    raise Unavailable("PurelyMail shows something else at each look.")


def next_step(rewrite: Rewrite, rules: list[types.Rule]) -> Step:
    """Tell what to do next, from nothing but the rules that there are."""
    wanted, unwanted = find(rules, rewrite.wanted), find(rules, rewrite.unwanted)
    is_same_match = matching(rewrite.wanted) == matching(rewrite.unwanted)
    if unwanted and (wanted or is_same_match):
        return Step(Deed.DELETE, unwanted.id)
    if wanted:
        return Step(Deed.END)
    if not unwanted and not rewrite.is_begun:
        return Step(Deed.END, reason=GONE)
    if not unwanted and (rival := find_rival(rules, rewrite.wanted)):
        goes_to = ", ".join(rival.targets) or "nobody"
        reason = f"Somebody has made another rule for it meanwhile, to {goes_to}."
        return Step(Deed.END, reason=reason)
    return Step(Deed.CREATE)


def _carry_out(
    rewrite: Rewrite, step: Step, client: PurelymailClient
) -> PurelymailError | None:
    """Make the call, and return what was wrong; whether it worked, a look tells."""
    try:
        if step.deed == Deed.DELETE:
            client.delete_routing_rule(step.rule_id)
        else:
            client.create_routing_rule(**rewrite.wanted)
    except PurelymailError as exc:
        return exc
    return None


def _turn_back(
    rewrite: Rewrite, rules: list[types.Rule], trouble: PurelymailError
) -> Step:
    """Return what to do after a step that PurelyMail did not take."""
    if isinstance(trouble, Rejected):
        reason = trouble.message or "PurelyMail refused it without a reason."
    else:
        reason = trouble.message
    was_back = rewrite.is_going_back
    _turn(rewrite, reason)
    if was_back:
        # Neither way is open just now. The next try begins with the other one.
        return Step(Deed.GIVE_UP, reason=reason)
    return next_step(rewrite, rules)


@transaction.atomic(durable=True)
def _claim(rule: Rule, new: dict[str, Any], actor: Actor) -> Rewrite:
    mine = Rule.objects.present()
    if isinstance(actor, User):
        mine = mine.visible_to(actor)
        if not actor.covers(new["domain"]):
            raise NotReplaced(f"{new['domain']} is not one of your domains.")
    # Locked, as deletions do, so that not both are asked for at once.
    found = mine.select_for_update().filter(pk=rule.pk).first()
    if found is None:
        raise NotReplaced(f"The rule for {rule} is not there any more.")
    refuse_if_pending(Kind.RULE, str(found.remote_id), domain=found.domain)
    old = fields_of(found)
    if deed(old) == deed(new):
        raise NotReplaced(f"The rule for {rule} does that already.")
    if not new["targets"]:
        raise NotReplaced("A rule has to send mail somewhere.")
    try:
        with transaction.atomic():
            return Rewrite.objects.create(
                old_id=found.remote_id,
                domain=found.domain,
                old=old,
                new=new,
                **as_columns(actor),
            )
    except IntegrityError:
        raise NotReplaced(
            f"The rule for {rule} is being replaced already. Wait a moment."
        ) from None


def _take_over(rewrite: Rewrite) -> bool:
    mine = Rewrite.objects.held_by(rewrite).filter(lease_until__lte=timezone.now())
    rewrite.tries += 1
    return bool(
        mine.update(tries=rewrite.tries, lease_until=timezone.now() + Rewrite.LEASE)
    )


def _hold(rewrite: Rewrite, step: Step) -> None:
    """Renew the lease before a call, and note before the old rule goes that it may."""
    rewrite.is_begun = rewrite.is_begun or step.deed == Deed.DELETE
    held = Rewrite.objects.held_by(rewrite).update(
        is_begun=rewrite.is_begun, lease_until=timezone.now() + Rewrite.LEASE
    )
    if not held:
        raise Unavailable(LOST)


def _turn(rewrite: Rewrite, reason: str) -> None:
    rewrite.is_going_back = not rewrite.is_going_back
    # Why the new rule could not be is what people want to know in the end.
    rewrite.reason = rewrite.reason or reason[:500]
    turned = Rewrite.objects.held_by(rewrite).update(
        is_going_back=rewrite.is_going_back, reason=rewrite.reason
    )
    if not turned:
        raise Unavailable(LOST)


@transaction.atomic(durable=True)
def _put_off(rewrite: Rewrite, reason: str) -> None:
    """Leave it to the sweep, and say so once it has taken longer than an outage."""
    pause = timedelta(minutes=min(2**rewrite.tries, LONGEST_PAUSE))
    held = Rewrite.objects.held_by(rewrite).update(lease_until=timezone.now() + pause)
    if held and rewrite.tries == 3:
        log.record(
            Event.RULE_REWRITE_DELAYED,
            actor=actor_of(rewrite),
            target=rewrite.pattern,
            domain=rewrite.domain,
            reason=reason,
        )


@transaction.atomic(durable=True)
def _settle(rewrite: Rewrite, rules: list[types.Rule], reason: str) -> None:
    now = timezone.now()
    new, old = find(rules, rewrite.new), find(rules, rewrite.old)
    is_done = new is not None
    state = Rewrite.State.DONE if is_done else Rewrite.State.FAILED
    rewrite.reason = "" if is_done else reason[:500]
    there = new or old
    rewrite.new_id = there.id if there else None
    settled = Rewrite.objects.held_by(rewrite).update(
        state=state, settled_at=now, reason=rewrite.reason, new_id=rewrite.new_id
    )
    if not settled:
        raise Unavailable(LOST)
    rewrite.state, rewrite.settled_at = state, now
    _mirror(rewrite, there)
    _record(rewrite)


def _mirror(rewrite: Rewrite, there: types.Rule | None) -> None:
    """Write what is there now into the mirror, so that it is no news to a sync."""
    now = timezone.now()
    known = Rule.objects.filter(remote_id=rewrite.old_id)
    before = known.select_related("made_by").first()
    kept = before.kept if before else {}
    old = known.present()
    if there is None or there.id != rewrite.old_id:
        old.update(gone_at=now)
    if there is not None:
        Rule.objects.update_or_create(
            remote_id=there.id,
            defaults={**fields_of(there), **kept, "gone_at": None},
            create_defaults={**fields_of(there), **kept, "first_seen_at": now},
        )
        Expiry.objects.of(rewrite.old_id).update(
            remote_id=there.id, domain=there.domain
        )
    request_sync()


def _record(rewrite: Rewrite) -> None:
    actor, target, domain = actor_of(rewrite), rewrite.pattern, rewrite.domain
    if rewrite.state == Rewrite.State.FAILED:
        log.record(
            Event.RULE_REWRITE_FAILED,
            actor=actor,
            target=target,
            domain=domain,
            reason=rewrite.reason,
        )
        return
    star = "*" if rewrite.new["prefix"] else ""
    log.record(
        Event.RULE_REWRITTEN,
        actor=actor,
        target=target,
        domain=domain,
        before=", ".join(rewrite.old["targets"]) or "nobody",
        after=f"{rewrite.new['match_user']}{star}@{rewrite.new['domain']}",
        destinations=", ".join(rewrite.new["targets"]),
    )
