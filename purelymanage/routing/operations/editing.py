from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.routing.deeds import fields_of
from purelymanage.routing.models import Rewrite, Rule
from purelymanage.routing.operations.creating import object_to
from purelymanage.routing.operations.rewriting import NotReplaced, replace_rule


def edit_rule(*, rule: Rule, wanted: dict[str, Any], actor: User) -> Rule:
    """Let a rule do something else, and return the one that is there then.

    Its id changes, as PurelyMail can change no rule; what the panel keeps of it goes
    along. Raises `NotReplaced`.
    """
    _refuse_wanted(rule, wanted, actor)
    rewrite = replace_rule(rule=rule, new=wanted, actor=actor)
    assert rewrite.new_id is not None  # it is done
    return Rule.objects.get(remote_id=rewrite.new_id)


def note_digest(rule: Rule) -> str:
    """A short sign of the note, by which a form knows what a person was shown."""
    return hashlib.sha256(rule.note.encode()).hexdigest()[:16]


@transaction.atomic(durable=True)
def edit_note(*, rule: Rule, note: str, shown: str, actor: User) -> None:
    """Keep a note, unless somebody has changed the one that was `shown`."""
    mine = Rule.objects.visible_to(actor).present().select_for_update()
    held = mine.filter(pk=rule.pk).first()
    if held is None:
        raise Refused("This rule is not there any more.")
    refuse_if_pending(Kind.RULE, str(held.remote_id), domain=held.domain)
    if Rewrite.objects.open().filter(old_id=held.remote_id).exists():
        raise Refused("This rule is being replaced just now. Wait a moment.")
    if note_digest(held) != shown:
        raise Refused(
            "Somebody has changed the note meanwhile. What it says now stands below; "
            "saving again replaces it."
        )
    if note == held.note:
        return
    held.note = note
    held.save(update_fields=["note"])
    log.record(
        Event.RULE_NOTED,
        actor=actor,
        target=held.pattern,
        domain=held.domain,
        changes="the note" if note else "no note any more",
    )


def _refuse_wanted(rule: Rule, wanted: dict[str, Any], actor: User) -> None:
    """Refuse what would only be found out after the old rule has gone."""
    domain = wanted["domain"]
    mine = Domain.objects.present().visible_to(actor)
    if not mine.filter(name=domain, is_shared=False).exists():
        raise NotReplaced(f"{domain} is not a domain of this account.")
    if objection := object_to(wanted):
        raise NotReplaced(objection)
    refuse_if_pending(Kind.DOMAIN, domain)
    others = Rule.objects.present().same_match(wanted).exclude(pk=rule.pk)
    if other := others.first():
        goes_to = ", ".join(fields_of(other)["targets"]) or "nobody"
        raise NotReplaced(f"There is a rule for {other} already, to {goes_to}.")
