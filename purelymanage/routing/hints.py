from __future__ import annotations

from django.db.models import Q

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.routing.models import Rule

NAMED = 3


def takers(address: str, user: User) -> list[str]:
    """Say which rule takes the mail of this address, unless it leaves it a copy.

    Rules apply before mailboxes do; only a catch-all spares them.
    """
    rule = strongest(address)
    if rule is None or address in map(str.lower, rule.targets):
        return []
    what = {
        Rule.Kind.PREFIX: f"for addresses that start with {rule.match_user}",
        Rule.Kind.ANY: f"for any address at {rule.domain}",
    }.get(rule.kind, f"for {address}")
    where = _list(rule.targets) if user.may(Right.SEE_ROUTING) else "somewhere else"
    return [
        f"A routing rule {what} sends its mail to {where}, so this mailbox receives "
        "none. That changes when the rule is gone, or names this address as well."
    ]


def strongest(address: str) -> Rule | None:
    """Return the rule that applies: the exact one, else the longest prefix."""
    local, _, domain = address.rpartition("@")
    rules = Rule.objects.present().filter(domain=domain, catchall=False)
    matching = [
        rule
        for rule in rules.filter(Q(prefix=True) | Q(match_user__iexact=local))
        if not rule.prefix or local.startswith(rule.match_user.lower())
    ]
    return max(
        matching, key=lambda it: (not it.prefix, len(it.match_user)), default=None
    )


def _list(targets: list[str]) -> str:
    if len(targets) > NAMED:
        return f"{', '.join(targets[:NAMED])} and {len(targets) - NAMED} more"
    return " and ".join(targets) or "nobody"
