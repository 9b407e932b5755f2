"""How a domain is deleted, with all that lies in it."""

from __future__ import annotations

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.impact import (
    Account,
    Impact,
    Line,
    count,
    domain_of,
    rule_fact,
    rule_pattern,
)
from purelymanage.deletions.registry import Subject, believe
from purelymanage.domains.models import Domain
from purelymanage.domains.operations import request_sync
from purelymanage.purelymail.client import PurelymailClient


class DomainHandler:
    word = "domain"

    def find(self, keys: list[str], user: User) -> list[Subject]:
        mine = Domain.objects.visible_to(user).present().filter(is_shared=False)
        found = set(mine.filter(name__in=keys).values_list("name", flat=True))
        return [Subject(it, it, it) for it in keys if it in found]

    def impact(self, key: str, account: Account) -> Impact | None:
        if key not in account.domains:
            return None
        users = [address for address in account.users if domain_of(address) == key]
        rules = [rule for rule in account.rules if rule.domain == key]
        aiming = [
            rule
            for rule in account.rules
            if rule.domain != key and any(domain_of(it) == key for it in rule.targets)
        ]
        lines = []
        if users:
            names = tuple((f"{it.rpartition('@')[0]}@", key) for it in users)
            what = count(len(users), "mailbox", "mailboxes")
            theirs = "its" if len(users) == 1 else "their"
            lines.append(Line("mailbox", what, f"with all {theirs} mail", names=names))
        if rules:
            names = tuple((_short(rule_pattern(rule)), key) for rule in rules)
            lines.append(Line("route", count(len(rules), "rule"), names=names))
        if aiming:
            names = tuple((rule_pattern(rule), rule.domain) for rule in aiming)
            what = count(len(aiming), "rule")
            lines.append(
                Line(
                    "route",
                    what,
                    "of other domains",
                    "Mail that goes there has nowhere to go afterwards.",
                    names=names,
                )
            )
        facts = {f"the mailbox {address}" for address in users}
        facts |= {rule_fact(rule) for rule in (*rules, *aiming)}
        return Impact(tuple(lines), frozenset(facts))

    def execute(self, client: PurelymailClient, key: str) -> None:
        client.delete_domain(key)

    def is_gone(self, client: PurelymailClient, key: str) -> bool:
        names = [domain.name for domain in client.list_domains()]
        return key not in believe(names, "domains")

    def forget(self, key: str) -> None:
        Domain.objects.present().filter(name=key).update(gone_at=timezone.now())
        request_sync()


def listed() -> list[str]:
    names = Domain.objects.present().filter(is_shared=False)
    return list(names.values_list("name", flat=True))


def _short(pattern: str) -> str:
    local = pattern.rpartition("@")[0]
    return f"{local}@" if local.strip("*") else "any address"
