from __future__ import annotations

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.domains.models import Domain
from purelymanage.routing.model import rules as model
from purelymanage.routing.model.accounts import Account
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
    """Return the rule that takes the mail of a mailbox with this address, if any."""
    address = address.lower()
    domain = address.rpartition("@")[2]
    rows = {it.remote_id: it for it in Rule.objects.present().filter(domain=domain)}
    if not rows:
        return None
    flags = Domain.objects.present().filter(name=domain)
    account = Account(
        rules=(model.Rule.of(it, id=it.remote_id) for it in rows.values()),
        mailboxes=[address],
        domains={domain: flags.filter(symbolic_subaddressing=True).exists()},
    )
    rule = account.look_at(address).rule
    return rows[rule.id] if rule else None


def _list(targets: list[str]) -> str:
    if len(targets) > NAMED:
        return f"{', '.join(targets[:NAMED])} and {len(targets) - NAMED} more"
    return " and ".join(targets) or "nobody"
