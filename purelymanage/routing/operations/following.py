"""What rules have to do when a mailbox gets another name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor
from purelymanage.audit.events import Event
from purelymanage.deletions.impact import Line, count
from purelymanage.deletions.registry import believe
from purelymanage.domains.operations import request_sync
from purelymanage.errors import Refused
from purelymanage.mailboxes.followers import Rename, Task
from purelymanage.purelymail import types
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.routing.deeds import fields_of, find_rival, matching
from purelymanage.routing.deletions import HANDLER
from purelymanage.routing.hints import strongest
from purelymanage.routing.models import Rewrite, Rule
from purelymanage.routing.operations.rewriting import replace_rule

EXACT = "exact"


class NotYet(Refused):
    """Something that passes by itself."""

    is_outage = True


class RuleFollower:
    word = "rules"

    def lines(self, rename: Rename, user: User) -> Iterable[Line]:
        aiming = [it for it in Rule.objects.present() if names(it, rename.old)]
        mine = [it for it in aiming if user.covers(it.domain)]
        if mine:
            yield Line(
                "route",
                count(len(mine), "rule"),
                "points to it" if len(mine) == 1 else "point to it",
                f"Rewritten to {rename.new}, one by one. PurelyMail cannot change a "
                "rule: for a moment each is away, and mail takes another way.",
                tuple((it.pattern, it.domain) for it in mine),
            )
        if others := len(aiming) - len(mine):
            yield Line(
                "route",
                f"{count(others, 'rule')} of other domains",
                "points to it" if others == 1 else "point to it",
                "Left as they are, and then they lead nowhere. Ask somebody who may "
                "change those domains.",
            )
        if exact := _exact(rename.old):
            to = ", ".join(_replaced(exact.targets, rename)) or "nobody"
            yield Line(
                "route",
                f"a rule for {rename.old}",
                "takes the mail of the old name already",
                f"Afterwards it goes to {to}. No other rule is created for it.",
            )
        elif taker := strongest(rename.old):
            note = "A rule for the old name comes before it."
            yield Line("route", f"the rule {taker.pattern}", "is about it", note)
        taker = strongest(rename.new)
        if taker and rename.new not in map(str.lower, taker.targets):
            if names(taker, rename.old):
                note = "It is rewritten so that this mailbox gets it."
            else:
                to = ", ".join(taker.targets) or "nobody"
                note = f"It goes to {to}, so that this mailbox receives none."
            yield Line(
                "route",
                f"the rule {taker.pattern}",
                f"takes the mail of {rename.new}",
                note,
            )

    def objections(self, rename: Rename) -> Iterable[str]:
        return ()

    def move(self, rename: Rename) -> None:
        """Do nothing: the rules are at PurelyMail."""

    def plan(
        self, rename: Rename, actor: Actor, client: PurelymailClient
    ) -> Iterable[Task]:
        rules = believe(client.list_routing_rules(), "rules")
        for rule in rules:
            if names(rule, rename.old) and _covers(actor, rule.domain):
                pattern = f"{rule.match_user}{'*' if rule.prefix else ''}@{rule.domain}"
                # Before the new rule, or mail would go round between the two names.
                is_first = pattern.lower() == rename.new
                yield Task(
                    key=str(rule.id),
                    label=f"The rule for {pattern}",
                    domain=rule.domain,
                    position=0 if is_first else 2,
                )
        if rename.with_rule:
            label = f"A rule from {rename.old} to {rename.new}"
            yield Task(EXACT, label, rename.old_domain, position=1)

    def do(
        self, rename: Rename, key: str, actor: Actor, client: PurelymailClient
    ) -> str:
        if key == EXACT:
            return _make_exact(rename, actor, client)
        return _rewrite(rename, int(key), actor, client)


def names(rule: Rule | types.Rule, address: str) -> bool:
    """Tell whether mail goes there; PurelyMail keeps targets as they were written."""
    return address in map(str.lower, rule.targets)


def _rewrite(
    rename: Rename, number: int, actor: Actor, client: PurelymailClient
) -> str:
    if Rewrite.objects.open().filter(old_id=number).exists():
        raise NotYet("It is being replaced. The panel looks again by itself.")
    rules = believe(client.list_routing_rules(), "rules")
    found = next((it for it in rules if it.id == number), None)
    if found is None or not names(found, rename.old):
        return f"Nothing names {rename.old} there any more."
    rule = Rule.objects.present().filter(remote_id=number).first()
    if rule is None:
        _ask_for_sync()
        raise NotYet("The panel has not read this rule yet. It looks again by itself.")
    targets = _replaced(list(found.targets), rename)
    replace_rule(rule=rule, new=fields_of(found) | {"targets": targets}, actor=actor)
    return f"It goes to {', '.join(targets)} now."


def _make_exact(rename: Rename, actor: Actor, client: PurelymailClient) -> str:
    wanted = _exact_fields(rename)
    rules = believe(client.list_routing_rules(), "rules")
    if find_rival(rules, wanted):
        return f"There is a rule for {rename.old} already, which stays."
    local = rename.new.rpartition("@")[0]
    if any(
        names(it, rename.old)
        and it.domain == rename.new_domain
        and (local.startswith(it.match_user) if it.prefix else local == it.match_user)
        and not it.catchall
        for it in rules
    ):
        raise NotYet(
            f"A rule sends the mail of {rename.new} to {rename.old}: it would go round."
        )
    number = HANDLER.create_again(client, wanted)
    _note_made(number, wanted, rename, actor)
    return f"Mail to {rename.old} goes to {rename.new}."


@transaction.atomic(durable=True)
def _note_made(
    number: str, wanted: dict[str, Any], rename: Rename, actor: Actor
) -> None:
    known = Rule.objects.present().filter(remote_id=int(number)).exists()
    HANDLER.remember(number, wanted)
    if not known:
        log.record(
            Event.RULE_CREATED,
            actor=actor,
            target=rename.old,
            destinations=rename.new,
        )


@transaction.atomic(durable=True)
def _ask_for_sync() -> None:
    request_sync()


def _exact_fields(rename: Rename) -> dict[str, Any]:
    local, _, domain = rename.old.rpartition("@")
    return {
        "domain": domain,
        "match_user": local,
        "prefix": False,
        "catchall": False,
        "targets": [rename.new],
    }


def _exact(address: str) -> Rule | None:
    wanted = matching(_exact_fields(Rename(address, address)))
    rules = Rule.objects.present().filter(domain=address.rpartition("@")[2])
    return next((it for it in rules if matching(fields_of(it)) == wanted), None)


def _replaced(targets: list[str], rename: Rename) -> list[str]:
    """Return the targets with the new name for the old one, each once."""
    moved = [rename.new if it.lower() == rename.old else it for it in targets]
    return list({it.lower(): it for it in moved}.values())


def _covers(actor: Actor, domain: str) -> bool:
    return not isinstance(actor, User) or actor.covers(domain)


FOLLOWER = RuleFollower()
