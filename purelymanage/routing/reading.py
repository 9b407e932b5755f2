"""The account of the mirror, as far as somebody may see it, for the pure model."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Func, Q, TextField, Value
from django.db.models.functions import Lower

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.model import rules as model
from purelymanage.routing.model.accounts import (
    SHARED_DOMAINS,
    Account,
    Part,
    domain_of,
)
from purelymanage.routing.models import Rule
from purelymanage.routing.models.rules import RuleQuerySet

# How often mail is sent on within what is read bit by bit. More is read at once.
MOST_ROUNDS = 4
# How many beginnings of targets are looked for at once in all rules.
MOST_BEGINNINGS = 50
COLUMNS = ("domain", "match_user", "prefix", "catchall", "targets", "remote_id")
# PostgreSQL may not know how others than these are written small.
BEYOND_ASCII = r"[^ -~]"


def domains() -> tuple[dict[str, bool], set[str]]:
    """Return the own ones, each with its subaddressing, and those that are shared."""
    found = list(
        Domain.objects.present().values_list(
            "name", "is_shared", "symbolic_subaddressing"
        )
    )
    own = {name: on for name, is_shared, on in found if not is_shared}
    return own, {name for name, is_shared, _ in found if is_shared} | SHARED_DOMAINS


def account_for(user: User) -> Account:
    """Read rules, mailboxes and domains in three queries.

    Of the domains that a limited person may not see only the names are read, so that
    an answer can say where it ends.
    """
    mailboxes = Mailbox.objects.visible_to(user).present()
    return _account(
        user,
        rules=_read(Rule.objects.visible_to(user).present()),
        mailboxes=mailboxes.values_list("address", flat=True),
    )


def part_for(
    user: User,
    *,
    domains: Collection[str] = (),
    addresses: Iterable[str] = (),
    onward: bool = False,
) -> Account:
    """Read no more than what is asked about takes; the answers are the same.

    That is all of these `domains`, and for the `addresses` whatever mail to them may
    come by: rules that fit, their targets, the rules that fit these, and so on. With
    `onward` that is read as well for the targets of all rules of the domains.
    """
    nothing = _account(user)
    visible = Rule.objects.visible_to(user).present()
    found: dict[int, model.Rule] = {}
    if domains:
        found = {it.id: it for it in _read(visible.filter(domain__in=domains))}
    met: set[str] = set()
    names: set[tuple[str, str]] = set()
    ahead = {it.strip().lower() for it in addresses}
    if onward:
        ahead |= {target for it in found.values() for target in it.targets}
    rounds = 0
    while ahead:
        met |= ahead
        new = {name for it in ahead for name in nothing.names_of(it)} - names
        if not new:
            break
        if rounds == MOST_ROUNDS:
            return account_for(user)
        rounds += 1
        names |= new
        fitting = {it.id: it for it in _read(_about(visible, new))}
        ahead = {target for it in fitting.values() for target in it.targets} - met
        found |= fitting
    read_as = {f"{local}@{domain}" for local, domain in names}
    mailboxes = Mailbox.objects.visible_to(user).present()
    mailboxes = mailboxes.filter(Q(domain__in=domains) | Q(address__in=read_as))
    return nothing.filled(
        rules=sorted(found.values(), key=lambda it: it.id),
        mailboxes=mailboxes.values_list("address", flat=True),
        part=Part(frozenset(domains), frozenset(met | read_as)),
    )


def part_towards(user: User, goal: str) -> Account:
    """Read all domains from which mail may end at an address, however it gets there."""
    nothing = _account(user)
    visible = Rule.objects.visible_to(user).present()
    goal = goal.strip().lower()
    wanted = {(local, domain) for local, domain in nothing.names_of(goal)}
    wanted.add((goal.rpartition("@")[0], domain_of(goal)))
    asked: set[tuple[str, str]] = set()
    for _ in range(MOST_ROUNDS):
        new = wanted - asked
        if not new:
            break
        if len(new) > MOST_BEGINNINGS:
            return account_for(user)
        asked |= new
        for rule in _read(_aiming(visible, new)):
            if any(_begins(target, new) for target in rule.targets):
                wanted.add((rule.match_user, rule.domain))
    else:
        return account_for(user)
    domains = {domain for _, domain in wanted} & nothing.domains.keys()
    return part_for(user, domains=domains, addresses=[goal], onward=True)


def about(address: str, user: User) -> list[int]:
    """Return the ids of the rules that could take mail to an address, if there is one."""
    if not address:
        return []
    sight = part_for(user, addresses=[address]).look_at(address)
    found = (sight.rule, *sight.over, *sight.spared)
    return [rule.id for rule in found if rule is not None]


def _account(
    user: User, *, rules: Iterable[model.Rule] = (), mailboxes: Iterable[str] = ()
) -> Account:
    own, shared = domains()
    return Account(
        rules=rules,
        mailboxes=mailboxes,
        domains={name: on for name, on in own.items() if user.covers(name)},
        shared=shared,
        veiled=[name for name in own if not user.covers(name)],
    )


def _about(rules: RuleQuerySet, names: set[tuple[str, str]]) -> RuleQuerySet:
    """Return the rules that may fit these names, and few others beside."""
    beginnings = {
        local[:length] for local, _ in names for length in range(len(local) + 1)
    }
    written = rules.alias(name=Lower("match_user"))
    return written.filter(
        Q(name__in=beginnings) | Q(match_user__regex=BEYOND_ASCII),
        domain__in={domain for _, domain in names},
    )


def _aiming(rules: RuleQuerySet, names: set[tuple[str, str]]) -> RuleQuerySet:
    """Return the rules with a target that begins so at such a domain, and a few others."""
    written = rules.alias(
        goes_to=Lower(
            Func(
                "targets",
                Value(" "),
                function="array_to_string",
                output_field=TextField(),
            )
        )
    )
    found = Q(goes_to__regex=BEYOND_ASCII)
    for local, domain in names:
        found |= Q(goes_to__contains=local) & Q(goes_to__contains=f"@{domain}")
    return written.filter(found)


def _begins(target: str, names: set[tuple[str, str]]) -> bool:
    local, _, domain = target.rpartition("@")
    return any(it == domain and local.startswith(begun) for begun, it in names)


def _read(rules: RuleQuerySet) -> Iterable[model.Rule]:
    # Whole rows of thousands would take longer than all that is said of them.
    rows = rules.order_by("remote_id").values_list(*COLUMNS)
    for domain, match_user, prefix, catchall, targets, number in rows:
        yield model.Rule(
            domain.lower(),
            match_user.lower(),
            prefix,
            catchall,
            tuple(target.strip().lower() for target in targets),
            number,
        )
