"""The part of the mirror that holds the routing rules."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import is_being_deleted
from purelymanage.domains.sync import Part, Reading, expect_some
from purelymanage.purelymail import types
from purelymanage.routing.deeds import deed, fields_of, find
from purelymanage.routing.models import Rewrite, Rule, RuleCreation
from purelymanage.routing.operations.creating import (
    NOT_THERE,
    fields_of_creation,
    note_outcome,
)

COLUMNS = ["domain", "match_user", "prefix", "catchall", "targets"]


def apply(found: list[types.Rule], reading: Reading) -> str:
    # The open requests first: who settles one now has written the rule, too.
    asked = list(RuleCreation.objects.asked().select_related("requested_by"))
    known = {rule.remote_id: rule for rule in Rule.objects.all()}
    listed = {it.id: _row(it) for it in found}
    new, changed = [], []
    is_being_rewritten = _rewrites()
    created = _settle(asked, found, reading)

    for number, now in listed.items():
        rule = known.get(number)
        if rule is None:
            new.append(now)
            if creation := created.get(number):
                for name, value in creation.kept.items():
                    setattr(now, name, value)
            elif not is_being_rewritten(now):
                _report(Event.RULE_APPEARED, now, reading)
        elif rule.gone_at is None:
            # PurelyMail cannot change a rule, but nobody promises that it never will.
            if _columns(rule) != _columns(now):
                _report(Event.RULE_VANISHED, rule, reading)
                _report(Event.RULE_APPEARED, now, reading)
                changed.append(rule)
        elif rule.gone_at < reading.began_at:
            rule.gone_at = None
            _report(Event.RULE_APPEARED, now, reading)
            changed.append(rule)

    for rule in changed:
        for column in COLUMNS:
            setattr(rule, column, getattr(listed[rule.remote_id], column))
    is_ours = is_being_deleted(Kind.RULE)
    for number, rule in known.items():
        is_old = rule.first_seen_at < reading.began_at
        if rule.gone_at is None and is_old and number not in listed:
            rule.gone_at = timezone.now()
            changed.append(rule)
            if not is_ours(str(number), rule.domain) and not is_being_rewritten(rule):
                _report(Event.RULE_VANISHED, rule, reading)

    Rule.objects.bulk_create(new, ignore_conflicts=True)
    Rule.objects.bulk_update(changed, [*COLUMNS, "gone_at"], batch_size=1_000)
    # Mailboxes and domains may be others, too; it begins when all of this is written.
    async_task("purelymanage.routing.tasks.keep_verdicts")
    return f"{len(listed)} rule{'' if len(listed) == 1 else 's'}"


def _settle(
    asked: list[RuleCreation], found: list[types.Rule], reading: Reading
) -> dict[int, RuleCreation]:
    """Tell what became of requests whose process died or got no answer.

    Return those that are there by the ids of their rules.
    """
    created = {}
    for creation in asked:
        rule = find(found, fields_of_creation(creation))
        reason = "" if rule else NOT_THERE
        if rule is not None:
            created[rule.id] = creation
        elif reading.began_at - creation.requested_at < RuleCreation.GIVEN_UP_AFTER:
            continue
        if RuleCreation.objects.settle(creation, reason=reason):
            reading.found.append(note_outcome(creation, reason=reason))
    return created


def _rewrites() -> Callable[[Rule], bool]:
    """Return how to tell that the panel itself is putting a rule in another's place."""
    opened = list(Rewrite.objects.open())
    ids = {rewrite.old_id for rewrite in opened}
    deeds = {deed(it) for rewrite in opened for it in (rewrite.old, rewrite.new)}
    return lambda rule: rule.remote_id in ids or deed(fields_of(rule)) in deeds


def _row(rule: types.Rule) -> Rule:
    return Rule(
        remote_id=rule.id,
        domain=rule.domain,
        match_user=rule.match_user,
        prefix=rule.prefix,
        catchall=rule.catchall,
        targets=list(rule.targets),
    )


def _columns(rule: Rule) -> list[object]:
    return [getattr(rule, column) for column in COLUMNS]


def _report(event: Event, rule: Rule, reading: Reading) -> None:
    destinations = ", ".join(rule.targets) or "nobody"
    reading.report(event, rule.pattern, domain=rule.domain, destinations=destinations)


PART = Part(
    name="rules",
    fetch=lambda client: client.list_routing_rules(),
    check=lambda found: expect_some(found, Rule.objects.present(), "rules"),
    apply=apply,
)
