"""Routing rules of the stand-in account."""

from __future__ import annotations

from typing import Any

from purelymanage.purelymail.sandbox.fields import Fields, Refused
from purelymanage.purelymail.sandbox.state import Rule, State

# Ids are not consecutive at the vendor's either.
ID_STEP = 7_919


def create_routing_rule(state: State, fields: Fields) -> dict[str, Any]:
    """Add a rule without telling its id; an exact duplicate changes nothing.

    The vendor accepts empty targets and an `@` in the name, and so does this.
    """
    domain = fields.text("domainName").lower()
    if domain not in state.domains:
        raise Refused("noSuchDomain", "Domain does not exist.")
    rule = Rule(
        id=state.next_rule_id,
        domain=domain,
        prefix=fields.flag("prefix"),
        match_user=fields.text("matchUser").lower(),
        targets=fields.texts("targetAddresses"),
        catchall=bool(fields.optional_flag("catchall")),
    )
    for other in state.rules:
        if _match(other) != _match(rule):
            continue
        if other.catchall == rule.catchall and (
            sorted(other.targets) == sorted(rule.targets)
        ):
            return {}
        message = "Routing rule conflicts with an existing rule"
        raise Refused("ruleAlreadyExists", message)
    state.rules.append(rule)
    state.next_rule_id += ID_STEP
    return {}


def delete_routing_rule(state: State, fields: Fields) -> dict[str, Any]:
    rule_id = fields.number("routingRuleId")
    left = [rule for rule in state.rules if rule.id != rule_id]
    if len(left) == len(state.rules):
        raise Refused("notFound", "No such routing rule.")
    state.rules = left
    return {}


def list_routing_rules(state: State, fields: Fields) -> dict[str, Any]:
    return {
        "rules": [
            {
                "id": rule.id,
                "domainName": rule.domain,
                "prefix": rule.prefix,
                "matchUser": rule.match_user,
                "targetAddresses": list(rule.targets),
                "catchall": rule.catchall,
            }
            for rule in state.rules
        ]
    }


def _match(rule: Rule) -> tuple[str, str, bool]:
    """Return what no two rules may share; any address and catch-all share it too."""
    return rule.domain, rule.match_user, rule.prefix
