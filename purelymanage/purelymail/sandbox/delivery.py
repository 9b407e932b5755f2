"""What the stand-in does with a message that comes in, as its mail server would.

1. What follows a symbol is cut off, where the domain has subaddressing.
2. The strongest routing rule puts its targets in the place of the address: exact
   before prefix, longer before shorter prefix. Mailboxes are not asked, except by
   a catch-all, which leaves theirs alone.
3. Each new address starts again at 1, up to `MOST_REDIRECTS` times.
4. An address that did not change is delivered, or refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from purelymanage.purelymail.sandbox.state import SHARED_DOMAINS, Rule, State

# The vendor cuts loops off after a number that it does not tell.
MOST_REDIRECTS = 50


@dataclass
class Outcome:
    """What became of a message, by address. `cut` went round until it was given up."""

    mailboxes: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    bounced: set[str] = field(default_factory=set)
    # A rule without targets took it.
    dropped: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)

    def to_json(self) -> dict[str, list[str]]:
        return {name: sorted(addresses) for name, addresses in vars(self).items()}


def deliver(state: State, address: str) -> Outcome:
    """Find out where a message to `address` ends."""
    outcome = Outcome()
    recipients = {_recipient(state, address)}
    for _ in range(MOST_REDIRECTS):
        redirected: set[str] = set()
        for recipient in recipients:
            rule = _rule_for(state, recipient)
            if rule is None:
                _hand_over(state, recipient, outcome)
                continue
            if not rule.targets:
                outcome.dropped.add(recipient)
            for target in rule.targets:
                new = _recipient(state, target)
                if new == recipient:
                    _hand_over(state, recipient, outcome)
                else:
                    redirected.add(new)
        recipients = redirected
    outcome.cut = recipients
    return outcome


def _recipient(state: State, address: str) -> str:
    address = address.strip().lower()
    user, at, domain = address.rpartition("@")
    if domain in SHARED_DOMAINS:
        own = f"{_until_symbol(user)}@{domain}"
        return own if own in state.users else address
    if at and domain in state.domains:
        if state.domains[domain].symbolic_subaddressing:
            user = _until_symbol(user)
        return f"{user}@{domain}"
    return address


def _until_symbol(user: str) -> str:
    for position, character in enumerate(user):
        if not character.isalnum():
            return user[:position]
    return user


def _rule_for(state: State, recipient: str) -> Rule | None:
    user, _, domain = recipient.rpartition("@")
    if domain not in state.domains:
        return None
    best: Rule | None = None
    for rule in state.rules:
        if rule.domain != domain or (rule.catchall and recipient in state.users):
            continue
        if rule.prefix:
            matches = user.startswith(rule.match_user)
        else:
            matches = user == rule.match_user
        if matches and (best is None or _beats(rule, best)):
            best = rule
    return best


def _beats(rule: Rule, other: Rule) -> bool:
    if rule.prefix != other.prefix:
        return other.prefix
    return len(rule.match_user) > len(other.match_user)


def _hand_over(state: State, recipient: str, outcome: Outcome) -> None:
    user, at, domain = recipient.rpartition("@")
    if recipient in state.users:
        outcome.mailboxes.add(recipient)
    elif domain in state.domains or not (at and user and domain):
        outcome.bounced.add(recipient)
    else:
        outcome.outside.add(recipient)
