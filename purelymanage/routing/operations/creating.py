from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of, as_columns
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.deletions.registry import believe
from purelymanage.domains.models import Domain
from purelymanage.domains.operations import request_sync, request_sync_again
from purelymanage.errors import Refused
from purelymanage.purelymail import types
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import (
    NotApplied,
    NotSent,
    PurelymailError,
    Rejected,
    Unavailable,
)
from purelymanage.routing.deeds import FIELDS, fields_of, find, find_rival
from purelymanage.routing.model.checks import MOST_TARGETS, is_address
from purelymanage.routing.models import Rewrite, Rule, RuleCreation

NOT_THERE = "PurelyMail did not create it."
THERE_ALREADY = "PurelyMail has this rule already."


class NotCreated(Refused):
    """Why there is no new rule. `is_outage` where PurelyMail is to blame."""

    def __init__(self, message: str, *, is_outage: bool = False) -> None:
        super().__init__(message)
        self.is_outage = is_outage


def create_rule(*, wanted: dict[str, Any], actor: Actor, note: str = "") -> Rule:
    """Create a rule at PurelyMail, and believe it once it has been read back.

    `wanted` is what the API takes: domain, match_user, prefix, catchall, targets. The
    request is written down before the call and settled after it: if the panel dies in
    between, the next sync finds out what became of it.
    """
    creation = _claim(wanted, note, actor)
    client = get_client()
    try:
        # PurelyMail says yes to what it has already, and the mirror may be old.
        _refuse_taken(believe(client.list_routing_rules(), "rules"), creation)
    except PurelymailError as exc:
        _settle_failed(creation, exc.message)
        raise _not_created(creation, exc) from exc
    except NotCreated as exc:
        _settle_failed(creation, str(exc))
        raise

    lost: Unavailable | None = None
    try:
        client.create_routing_rule(**fields_of_creation(creation))
    except (Rejected, NotSent) as exc:
        _settle_failed(creation, exc.message)
        raise _not_created(creation, exc) from exc
    except Unavailable as exc:
        lost = exc

    try:
        rules = believe(client.list_routing_rules(), "rules")
    except PurelymailError as exc:
        _leave_to_sync()
        raise NotCreated(
            f"Nobody knows yet whether the rule for {creation.pattern} was created: "
            "PurelyMail does not answer. The panel looks again by itself, and the rule "
            "appears in the list if it was.",
            is_outage=True,
        ) from exc
    found = find(rules, fields_of_creation(creation))
    if found is None:
        error = lost or NotApplied()
        _settle_failed(creation, error.message)
        raise _not_created(creation, error)
    return _settle_done(creation, found)


def fields_of_creation(creation: RuleCreation) -> dict[str, Any]:
    return {name: getattr(creation, name) for name in FIELDS}


def object_to(wanted: dict[str, Any]) -> str:
    """Return why there can be no such rule at all, empty if there can."""
    targets = wanted["targets"]
    if not targets:
        return "A rule has to send mail somewhere."
    if len(targets) > MOST_TARGETS:
        return f"At most {MOST_TARGETS} targets are possible; these are {len(targets)}."
    if wrong := [it for it in targets if not is_address(it)]:
        return f"{wrong[0]} is no e-mail address."
    if not wanted["match_user"] and not wanted["prefix"]:
        return "A rule for one address needs its name."
    if wanted["match_user"] and wanted["catchall"]:
        return (
            "The portal does not offer this combination, so nobody knows what it does."
        )
    return ""


def note_outcome(creation: RuleCreation, *, reason: str = "") -> Entry:
    """Return what the audit log says of a request that has come to its end."""
    goes_to = ", ".join(creation.targets)
    about: dict[str, Any] = {
        "actor": actor_of(creation),
        "target": creation.pattern,
        "domain": creation.domain,
        "destinations": goes_to,
    }
    if reason:
        return log.note(Event.RULE_CREATION_FAILED, reason=reason, **about)
    return log.note(Event.RULE_CREATED, **about)


@transaction.atomic(durable=True)
def look_for_overdue() -> int:
    """Ask for a sync where a request is open that nobody waits for any more."""
    count = RuleCreation.objects.overdue().count()
    if count:
        request_sync_again()
    return count


@transaction.atomic(durable=True)
def _claim(wanted: dict[str, Any], note: str, actor: Actor) -> RuleCreation:
    domain = wanted["domain"]
    domains = Domain.objects.present()
    if isinstance(actor, User):
        domains = domains.visible_to(actor)
    if not domains.filter(name=domain, is_shared=False).exists():
        raise NotCreated(f"{domain} is not a domain of this account.")
    if objection := object_to(wanted):
        raise NotCreated(objection)
    refuse_if_pending(Kind.DOMAIN, domain)
    creation = RuleCreation(
        **{name: wanted[name] for name in FIELDS}, note=note, **as_columns(actor)
    )
    same = Rule.objects.present().same_match(wanted).first()
    if same is not None:
        raise NotCreated(_say_taken(fields_of(same), creation))
    if any(
        (it["domain"], it["match_user"], it["prefix"])
        == (domain, wanted["match_user"], wanted["prefix"])
        for rewrite in Rewrite.objects.open().filter(domain=domain)
        for it in (rewrite.old, rewrite.new)
    ):
        raise NotCreated(
            f"The rule for {creation.pattern} is being replaced just now. Wait a moment."
        )
    try:
        with transaction.atomic():
            creation.save()
    except IntegrityError:
        raise NotCreated(
            f"PurelyMail has been asked for a rule for {creation.pattern} already, and "
            "its answer is awaited. Look at the list in a minute."
        ) from None
    return creation


def _refuse_taken(rules: list[types.Rule], creation: RuleCreation) -> None:
    wanted = fields_of_creation(creation)
    there = find(rules, wanted) or find_rival(rules, wanted)
    if there is not None:
        raise NotCreated(_say_taken(fields_of(there), creation))


def _say_taken(there: dict[str, Any], creation: RuleCreation) -> str:
    wanted = fields_of_creation(creation)
    goes_to = ", ".join(there["targets"]) or "nobody"
    if there["catchall"] != wanted["catchall"]:
        return (
            f"{creation.domain} has a rule of the other kind of “any address” already, "
            f"to {goes_to}. PurelyMail allows one of the two."
        )
    if set(map(str.lower, there["targets"])) == set(map(str.lower, wanted["targets"])):
        return THERE_ALREADY
    return f"There is a rule for {creation.pattern} already, to {goes_to}."


def _not_created(creation: RuleCreation, error: PurelymailError) -> NotCreated:
    pattern = creation.pattern
    if isinstance(error, Rejected):
        if error.is_about_token:
            return NotCreated("PurelyMail refused the panel's token.", is_outage=True)
        message = error.message or "It gave no reason."
        return NotCreated(f"PurelyMail refused the rule for {pattern}: {message}")
    if isinstance(error, NotApplied):
        return NotCreated(
            f"PurelyMail said that it created the rule for {pattern}, but it is not "
            "there. Try again; nothing was changed.",
            is_outage=True,
        )
    return NotCreated(
        f"The rule for {pattern} was not created. {error.message}", is_outage=True
    )


@transaction.atomic(durable=True)
def _settle_failed(creation: RuleCreation, reason: str) -> None:
    if RuleCreation.objects.settle(creation, reason=reason):
        log.record_many([note_outcome(creation, reason=reason)])
    # PurelyMail may know something that the mirror does not, such as another rule.
    request_sync()


@transaction.atomic(durable=True)
def _settle_done(creation: RuleCreation, found: types.Rule) -> Rule:
    # A sync may have found the rule first, and told so.
    is_news = RuleCreation.objects.settle(creation)
    columns = {**fields_of(found), **creation.kept, "gone_at": None}
    rule, _ = Rule.objects.update_or_create(
        remote_id=found.id,
        defaults=columns,
        create_defaults={**columns, "first_seen_at": timezone.now()},
    )
    request_sync()
    if is_news:
        log.record_many([note_outcome(creation)])
    return rule


@transaction.atomic(durable=True)
def _leave_to_sync() -> None:
    request_sync()
