"""Domains of the stand-in account and what it says about their DNS."""

from __future__ import annotations

import re
from typing import Any

from purelymanage.purelymail.sandbox import zones
from purelymanage.purelymail.sandbox.fields import Fields, Refused
from purelymanage.purelymail.sandbox.state import SHARED_DOMAINS, Domain, State

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
DOMAIN_NAME = re.compile(rf"{LABEL}(\.{LABEL})+")


def get_ownership_code(state: State, fields: Fields) -> dict[str, Any]:
    return {"code": state.ownership_code}


def add_domain(state: State, fields: Fields) -> dict[str, Any]:
    """Add a domain whose ownership record is visible at this moment."""
    name = fields.text("domainName").lower().rstrip(".")
    if not DOMAIN_NAME.fullmatch(name):
        raise Refused("invalidDomain", "Domain name is not valid.")
    if name in state.domains or name in SHARED_DOMAINS:
        raise Refused("domainExists", "Domain already exists")
    if not zones.owns(state.zones, name, state.ownership_code):
        message = f"DNS ownership checks did not pass for domain {name}."
        raise Refused("dnsOwnershipFailed", message)
    state.domains[name] = Domain(dns_summary=zones.summary(state.zones, name))
    return {}


def list_domains(state: State, fields: Fields) -> dict[str, Any]:
    own = [_answer(name, domain) for name, domain in sorted(state.domains.items())]
    if not fields.optional_flag("includeShared"):
        return {"domains": own}
    passes = dict.fromkeys(("passesMx", "passesSpf", "passesDkim", "passesDmarc"), True)
    shared = Domain(allow_account_reset=False, dns_summary=passes)
    return {
        "domains": own
        + [_answer(name, shared, is_shared=True) for name in SHARED_DOMAINS]
    }


def update_domain_settings(state: State, fields: Fields) -> dict[str, Any]:
    name, domain = _named(state, fields)
    account_reset = fields.optional_flag("allowAccountReset")
    subaddressing = fields.optional_flag("symbolicSubaddressing")
    if account_reset is not None:
        domain.allow_account_reset = account_reset
    if subaddressing is not None:
        domain.symbolic_subaddressing = subaddressing
    if fields.optional_flag("recheckDns"):
        domain.dns_summary = zones.summary(state.zones, name)
    return {}


def delete_domain(state: State, fields: Fields) -> dict[str, Any]:
    """Remove a domain together with its users and rules."""
    name, _ = _named(state, fields)
    del state.domains[name]
    state.rules = [rule for rule in state.rules if rule.domain != name]
    state.users = {
        address: user
        for address, user in state.users.items()
        if address.rpartition("@")[2] != name
    }
    return {}


def check_account_credit(state: State, fields: Fields) -> dict[str, Any]:
    return {"credit": f"{state.credit_now():f}"}


def _named(state: State, fields: Fields) -> tuple[str, Domain]:
    """Find the domain by `name`; the other calls say domainName."""
    name = fields.text("name").lower()
    if name not in state.domains:
        raise Refused("noSuchDomain", "Domain does not exist.")
    return name, state.domains[name]


def _answer(name: str, domain: Domain, *, is_shared: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "allowAccountReset": domain.allow_account_reset,
        "symbolicSubaddressing": domain.symbolic_subaddressing,
        "isShared": is_shared,
        "dnsSummary": domain.dns_summary,
    }
