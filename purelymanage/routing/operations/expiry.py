"""Rules that end by themselves: with a day, through the queue of deletions.

The deletion is asked for so early that its waiting time ends with the day, in the name
of whoever set it. Until then anybody who may delete can keep the rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as written

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import Agent, By, Entry
from purelymanage.audit.notices import choices_of
from purelymanage.deletions import policy
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.deletions.operations import requests
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.routing.models import Expiry, Rewrite, Rule
from purelymanage.routing.models.expiries import end_of, first_day

if TYPE_CHECKING:
    from purelymanage.audit.viewer import Person

# When people are told on the day before: in the morning, while somebody is there.
REMINDED_AT = timedelta(hours=9)
NOT_ALLOWED = "Your role or your domains do not allow this."
GONE = "This rule is not there any more."


@transaction.atomic(durable=True)
def set_expiry(*, rule: Rule, ends_on: date, actor: User) -> Expiry:
    """Let a rule be there until a day is over, and no longer."""
    _check(rule, actor)
    now = timezone.now()
    if ends_on < (first := first_day(policy.grace(), now)):
        raise Refused(
            f"Deletions wait {waiting_time()}, so {in_words(first)} is the first "
            "possible day."
        )
    expiry, _ = Expiry.objects.update_or_create(
        remote_id=rule.remote_id,
        defaults={
            "domain": rule.domain,
            "ends_on": ends_on,
            "set_by": actor,
            "set_at": now,
            # Nobody has to be told of what they have just done.
            "reminded_at": now if ends_on <= _day_to_remind_of(now) else None,
            "deletion": None,
            "trouble": "",
        },
    )
    log.record(
        Event.RULE_EXPIRY_SET,
        actor=actor,
        target=rule.pattern,
        domain=rule.domain,
        day=in_words(ends_on),
    )
    return expiry


@transaction.atomic(durable=True)
def clear_expiry(*, rule: Rule, actor: User) -> None:
    """Let a rule stay until somebody deletes it."""
    _check(rule, actor)
    expiry = Expiry.objects.of(rule.remote_id).select_for_update().first()
    if expiry is None:
        return
    expiry.delete()
    log.record_many([_note(Event.RULE_EXPIRY_CLEARED, rule, expiry, actor)])


def request_due() -> int:
    """Ask for the deletion of rules whose time is about to end; return of how many."""
    asked = 0
    for expiry in due(timezone.now()):
        rule = Rule.objects.present().filter(remote_id=expiry.remote_id).first()
        if rule is None:
            _forget_gone(expiry)
        elif not _is_busy(rule):
            try:
                _request(expiry, rule)
            except Refused as exc:
                _note_trouble(expiry, rule, str(exc))
            else:
                asked += 1
    return asked


def _is_busy(rule: Rule) -> bool:
    """Whether it is to be deleted already, or about to get another id."""
    pending = PendingDeletion.objects.on(Kind.RULE, str(rule.remote_id), rule.domain)
    replaced = Rewrite.objects.open().filter(old_id=rule.remote_id)
    return pending.exists() or replaced.exists()


def due(now: datetime) -> list[Expiry]:
    """Return those whose day ends no later than a deletion asked for now would."""
    last = timezone.localdate(now + policy.grace())
    found = Expiry.objects.unrequested().filter(ends_on__lt=last)
    return list(found.select_related("set_by"))


@transaction.atomic(durable=True)
def remind() -> int:
    """Tell of rules that end tomorrow: by notice, and by mail whoever set the day."""
    now = timezone.now()
    found = Expiry.objects.filter(reminded_at=None, ends_on__lte=_day_to_remind_of(now))
    locked = found.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    entries = []
    for expiry in locked.select_related("set_by"):
        rule = Rule.objects.present().filter(remote_id=expiry.remote_id).first()
        if rule is None:  # gone, or being replaced and told of afterwards
            continue
        expiry.reminded_at = now
        expiry.save(update_fields=["reminded_at"])
        _mail(expiry, rule)
        entries.append(_note(Event.RULE_EXPIRES_SOON, rule, expiry, Agent.PANEL))
    log.record_many(entries)
    return len(entries)


# What the queue of deletions tells


def link(kind: str, keys: list[str], actor: Actor) -> None:
    """Note which deletion ends a rule, in the transaction that asks for it."""
    if kind != Kind.RULE:
        return
    last = timezone.localdate(timezone.now() + policy.grace())
    mine = Expiry.objects.unrequested().filter(remote_id__in=map(int, keys))
    for expiry in mine.filter(ends_on__lt=last):
        pending = PendingDeletion.objects.open().filter(
            kind=kind, key=str(expiry.remote_id)
        )
        expiry.deletion = pending.first()
        expiry.trouble = ""
        expiry.save(update_fields=["deletion", "trouble"])


def keep(kind: str, key: str, actor: Actor) -> Iterable[Entry]:
    """Let a rule stay for good whose deletion was cancelled."""
    if kind != Kind.RULE:
        return
    for expiry in Expiry.objects.of(int(key)).exclude(deletion=None):
        expiry.delete()
        rule = Rule.objects.filter(remote_id=key).first()
        if rule is not None:
            yield _note(Event.RULE_EXPIRY_CLEARED, rule, expiry, actor)


def in_words(day: date) -> str:
    return written(day, "j F Y")


def waiting_time() -> str:
    hours = round(policy.grace().total_seconds() / 3600)
    return f"{hours} hour{'' if hours == 1 else 's'}"


def _request(expiry: Expiry, rule: Rule) -> None:
    """Ask for the deletion. `link` notes it, in the same transaction."""
    key, actor = str(rule.remote_id), expiry.set_by
    chosen = requests.subjects(Kind.RULE, [key], actor)
    requests.request_deletions(
        kind=Kind.RULE,
        keys=[key],
        # Whoever set the day wanted this rule to go, whatever it does by then.
        shown=requests.digest(requests.impacts_of(Kind.RULE, chosen)),
        actor=actor,
        reason=f"It was to end with {in_words(expiry.ends_on)}.",
    )


@transaction.atomic(durable=True)
def _note_trouble(expiry: Expiry, rule: Rule, reason: str) -> None:
    """Say once that nobody may let it end any more."""
    reason = (
        f"{expiry.set_by} set this day and may not delete it any more, or it cannot be "
        f"deleted now. {reason} Set the day again to take it over."
    )[:300]
    mine = Expiry.objects.filter(pk=expiry.pk).exclude(trouble=reason)
    if mine.update(trouble=reason):
        log.record(
            Event.RULE_EXPIRY_STUCK,
            actor=Agent.PANEL,
            target=rule.pattern,
            domain=rule.domain,
            reason=reason,
        )


def _forget_gone(expiry: Expiry) -> None:
    """Forget the day of a rule that somebody deleted, unless it is being replaced."""
    if not Rewrite.objects.open().filter(old_id=expiry.remote_id).exists():
        # Not by its key alone: the day may have just followed to another id.
        Expiry.objects.of(expiry.remote_id).filter(pk=expiry.pk).delete()


def _check(rule: Rule, actor: User) -> None:
    rights = (Right.MANAGE, Right.DELETE)
    if not (all(map(actor.may, rights)) and actor.covers(rule.domain)):
        raise Refused(NOT_ALLOWED)
    # Locked, as a replacement does when it ends: the day is to follow the new id.
    mine = Rule.objects.present().select_for_update().filter(pk=rule.pk)
    if mine.first() is None:
        raise Refused(GONE)
    refuse_if_pending(Kind.RULE, str(rule.remote_id), domain=rule.domain)


def _day_to_remind_of(now: datetime) -> date:
    return timezone.localdate(now - REMINDED_AT) + timedelta(days=1)


def _mail(expiry: Expiry, rule: Rule) -> None:
    """Tell whoever set it, unless the notice comes by mail anyway."""
    person: User = expiry.set_by
    if not (person.may(Right.SEE_ROUTING) and person.covers(rule.domain)):
        return
    if choices_of(cast("Person", person)).get("expiries") == By.MAIL:
        return
    context = {
        "rule": rule,
        "ends_on": expiry.ends_on,
        "ends_at": end_of(expiry.ends_on),
        "grace": waiting_time(),
        "url": settings.BASE_URL + reverse("routing:set-expiry", args=[rule.remote_id]),
    }
    text = render_to_string("routing/mails/expires.txt", context)
    subject = f"Ends {in_words(expiry.ends_on)}: the rule {rule.pattern}"
    queue_mail(to=person.email, subject=subject, text=text.lstrip())


def _note(event: Event, rule: Rule, expiry: Expiry, actor: Actor) -> Entry:
    return log.note(
        event,
        actor=actor,
        target=rule.pattern,
        domain=rule.domain,
        day=in_words(expiry.ends_on),
    )
