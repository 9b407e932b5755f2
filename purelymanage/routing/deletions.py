"""How a rule is deleted and made again, and how mail is routed elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import Any

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions import registry
from purelymanage.deletions.impact import Account, Impact, rule_fact
from purelymanage.deletions.registry import Subject, believe
from purelymanage.domains.operations import request_sync
from purelymanage.purelymail import types
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.purelymail.errors import NotApplied, PurelymailError
from purelymanage.routing import aftermath
from purelymanage.routing.deeds import FIELDS, find
from purelymanage.routing.model import rules as model
from purelymanage.routing.model.accounts import Account as ModelledAccount
from purelymanage.routing.model.accounts import Part, domain_of
from purelymanage.routing.model.following import follow
from purelymanage.routing.models import Rule
from purelymanage.routing.reading import domains

# Whose rule it is when it was made along with something else.
BY_PANEL = "this panel"


class _Modelled:
    """An account for the pure model, whole and in parts."""

    def __init__(self, account: Account) -> None:
        self.account = account
        own, self.shared = domains()
        self.domains = {it.domain: True for it in account.rules} | own
        self._made: dict[str, ModelledAccount] = {}

    def of(self, domain: str) -> ModelledAccount:
        if domain not in self._made:
            self._made[domain] = self._make(domain)
        return self._made[domain]

    def _make(self, domain: str) -> ModelledAccount:
        """Leave out rules and mailboxes that have nothing to do with a domain."""
        rules, users = self.account.rules, self.account.users
        if domain:
            at_domain = f"@{domain}"
            rules = [
                rule
                for rule in rules
                if rule.domain == domain
                or any(at_domain in target.lower() for target in rule.targets)
            ]
            users = [it for it in users if it.endswith(at_domain)]
        return ModelledAccount(
            rules=(model.Rule.of(it, id=it.id) for it in rules),
            mailboxes=users,
            domains=self.domains,
            shared=self.shared,
            part=Part(frozenset({domain}), frozenset()) if domain else None,
        )

    def around(self, addresses: Collection[str]) -> ModelledAccount:
        """Leave out what neither these addresses nor rules that name them lead to."""
        nothing = self._account_of([], ())
        wanted = {name for it in addresses for name in nothing.names_of(it)}
        domains = {domain for _, domain in wanted}
        found = [
            rule
            for target, rules in self.account.aiming.items()
            if domain_of(target.strip()) in domains
            and not wanted.isdisjoint(nothing.names_of(target))
            for rule in rules
        ]
        chosen: set[int] = set()
        names: set[tuple[str, str]] = set()
        met: set[str] = set()
        ahead = {it.strip().lower() for it in addresses}
        while ahead or found:
            chosen.update(map(id, found))
            ahead |= {it.strip().lower() for rule in found for it in rule.targets}
            ahead -= met
            met |= ahead
            new = {name for it in ahead for name in nothing.names_of(it)} - names
            names |= new
            found = [rule for name in new for rule in self._fitting(*name)]
            ahead = set()
        read_as = {f"{local}@{domain}" for local, domain in names}
        return self._account_of(
            [rule for rule in self.account.rules if id(rule) in chosen],
            read_as.intersection(map(str.lower, self.account.users)),
            Part(frozenset(), frozenset(met | read_as)),
        )

    def _fitting(self, local: str, domain: str) -> Iterator[types.Rule]:
        for length in range(len(local) + 1):
            for rule in self._by_name.get((local[:length], domain), ()):
                if rule.prefix or length == len(local):
                    yield rule

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], list[types.Rule]]:
        found: dict[tuple[str, str], list[types.Rule]] = {}
        for rule in self.account.rules:
            name = rule.match_user.lower(), rule.domain.lower()
            found.setdefault(name, []).append(rule)
        return found

    def _account_of(
        self,
        rules: Iterable[types.Rule],
        users: Iterable[str],
        part: Part | None = None,
    ) -> ModelledAccount:
        return ModelledAccount(
            rules=(model.Rule.of(it, id=it.id) for it in rules),
            mailboxes=users,
            domains=self.domains,
            shared=self.shared,
            part=part,
        )


class RuleHandler:
    word = "rule"

    def __init__(self) -> None:
        self._last: _Modelled | None = None

    def find(self, keys: list[str], user: User) -> list[Subject]:
        mine = Rule.objects.visible_to(user).present()
        numbers = {key: int(key) for key in keys if _is_id(key)}
        rules = mine.filter(remote_id__in=numbers.values()).in_bulk(
            field_name="remote_id"
        )
        return [
            _subject(key, rules[number])
            for key, number in numbers.items()
            if number in rules
        ]

    def impact(self, key: str, account: Account) -> Impact | None:
        rule = next((rule for rule in account.rules if str(rule.id) == key), None)
        if rule is None:
            return None
        modelled = self.modelled(account, of_domain=rule.domain)
        lines = aftermath.lines(modelled, model.Rule.of(rule, id=rule.id))
        return Impact(tuple(lines), frozenset({rule_fact(rule)}))

    def modelled(self, account: Account, *, of_domain: str = "") -> ModelledAccount:
        """Return the account for the pure model, or what concerns the rules of a domain.

        Of many deletions at once, it is made just once.
        """
        return self._modelled(account).of(of_domain)

    def around(self, account: Account, addresses: Collection[str]) -> ModelledAccount:
        """Return what mail to some addresses, or by rules that name them, may meet."""
        return self._modelled(account).around(addresses)

    def _modelled(self, account: Account) -> _Modelled:
        last = self._last  # another thread may put its own there meanwhile
        if last is None or last.account is not account:
            self._last = last = _Modelled(account)
        return last

    def execute(self, client: PurelymailClient, key: str) -> None:
        client.delete_routing_rule(int(key))

    def is_gone(self, client: PurelymailClient, key: str) -> bool:
        rules = believe(client.list_routing_rules(), "rules")
        return all(str(rule.id) != key for rule in rules)

    def forget(self, key: str) -> None:
        Rule.objects.present().filter(remote_id=key).update(gone_at=timezone.now())
        request_sync()

    # Made again from what the deletion kept

    def create_again(self, client: PurelymailClient, restore: dict[str, Any]) -> str:
        wanted = {name: restore[name] for name in FIELDS}
        if (rule := _find(client, wanted)) is None:
            try:
                client.create_routing_rule(**wanted)
            except PurelymailError:
                # It may have been made all the same.
                if (rule := _find(client, wanted)) is None:
                    raise
            else:
                rule = _find(client, wanted)
        if rule is None:
            raise NotApplied
        return str(rule.id)

    def remember(self, key: str, restore: dict[str, Any]) -> None:
        _write(int(key), {name: restore[name] for name in FIELDS})


class Route:
    """An exact rule that sends the mail of an address elsewhere."""

    can_be_undone = True

    def object_to(self, key: str, target: str) -> str:
        """Object where mail would arrive nowhere once the mailbox is gone."""
        account = HANDLER.around(registry.mirrored_account(), [key, target])
        walk = follow(account.without(key), target)
        if walk.mailboxes or walk.outside:
            return ""
        return (
            f"Nothing receives mail for {target}. Name a mailbox, or an address that "
            "a rule sends on."
        )

    def prepare(
        self, client: PurelymailClient, key: str, target: str
    ) -> dict[str, Any]:
        return {"was_there": _find(client, _exact(key, target)) is not None}

    def take(self, client: PurelymailClient, key: str, target: str) -> dict[str, Any]:
        return {"rule": HANDLER.create_again(client, _exact(key, target))}

    def undo(
        self, client: PurelymailClient, key: str, target: str, known: dict[str, Any]
    ) -> None:
        wanted = _exact(key, target)
        if known.get("was_there", True) or (rule := _find(client, wanted)) is None:
            return
        client.delete_routing_rule(rule.id)
        if _find(client, wanted) is not None:
            raise NotApplied

    def remember(self, key: str, target: str, known: dict[str, Any]) -> None:
        _write(int(known["rule"]), _exact(key, target))

    def forget(self, known: dict[str, Any]) -> None:
        if "rule" in known and not known.get("was_there"):
            HANDLER.forget(known["rule"])


def listed() -> list[types.Rule]:
    found = Rule.objects.present().order_by("domain", "match_user", "remote_id")
    columns = ("remote_id", "domain", "match_user", "prefix", "catchall", "targets")
    return [
        types.Rule(
            id=key,
            domain=domain,
            match_user=match_user,
            prefix=prefix,
            catchall=catchall,
            targets=tuple(targets),
        )
        for key, domain, match_user, prefix, catchall, targets in found.values_list(
            *columns
        )
    ]


def _find(client: PurelymailClient, wanted: dict[str, Any]) -> types.Rule | None:
    return find(believe(client.list_routing_rules(), "rules"), wanted)


def _write(remote_id: int, columns: dict[str, Any]) -> None:
    """Put a rule that the panel made into the mirror, so that it is no news later.

    With what was kept of the last one that did the same.
    """
    same = Rule.objects.same_match(columns).filter(catchall=columns["catchall"])
    last = same.select_related("made_by").order_by("-gone_at", "-pk").first()
    kept = last.kept if last else {"made_as": BY_PANEL}
    Rule.objects.update_or_create(
        remote_id=remote_id,
        defaults={
            **columns,
            **kept,
            "first_seen_at": timezone.now(),
            "gone_at": None,
        },
    )
    request_sync()


def _exact(address: str, target: str) -> dict[str, Any]:
    local, _, domain = address.rpartition("@")
    return {
        "domain": domain,
        "match_user": local,
        "prefix": False,
        "catchall": False,
        "targets": [target],
    }


def _subject(key: str, rule: Rule) -> Subject:
    restore = {name: getattr(rule, name) for name in FIELDS}
    return Subject(key, _label(rule), rule.domain, restore)


def _label(rule: Rule) -> str:
    match rule.kind:
        case Rule.Kind.ANY:
            return f"any address at {rule.domain}"
        case Rule.Kind.CATCH_ALL:
            return f"any address without a mailbox at {rule.domain}"
    return rule.pattern


def _is_id(key: str) -> bool:
    digits = key.removeprefix("-")
    return digits.isascii() and digits.isdigit() and abs(int(key)) <= types.LARGEST_ID


HANDLER = RuleHandler()
