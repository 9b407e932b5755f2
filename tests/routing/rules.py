"""Rules written as one says them, for tests of the model."""

from __future__ import annotations

from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.rules import Rule

ORG, SHOP = "example.org", "shop.example"
# shop.example has subaddressing off.
DOMAINS = {ORG: True, SHOP: False}


def rule(pattern: str, *targets: str, catchall: bool = False, id: int = 0) -> Rule:
    name, _, domain = pattern.rpartition("@")
    return Rule(
        domain=domain,
        match_user=name.removesuffix("*"),
        prefix=name.endswith("*"),
        catchall=catchall,
        targets=targets,
        id=id,
    )


def account(*rules: Rule, boxes: str = "", veiled: str = "") -> Account:
    """Return an account with these rules, and with mailboxes named in one line."""
    return Account(
        rules=rules,
        mailboxes=boxes.split(),
        domains=DOMAINS,
        veiled=veiled.split(),
    )
