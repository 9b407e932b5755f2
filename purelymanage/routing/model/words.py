"""Rules in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from purelymanage.routing.model.rules import Kind, Rule

MOST_NAMED = 5


def sentence(rule: Rule) -> str:
    """Say what a rule does: “Mail to any address at … goes to … and ….”"""
    return f"Mail to {matched(rule)} goes to {listed(rule.targets) or 'nobody'}."


def matched(rule: Rule) -> str:
    """Name the addresses that a rule is about."""
    domain = rule.domain
    match rule.kind:
        case Kind.EXACT:
            return rule.pattern
        case Kind.PREFIX:
            return f"any address starting with {rule.match_user} at {domain}"
        case Kind.ANY:
            return f"any address at {domain}"
        case Kind.CATCH_ALL:
            return f"any address without a mailbox at {domain}"
    if not rule.match_user:
        return f"an address at {domain} with nothing before the @"
    if rule.prefix:
        return (
            f"any address without a mailbox starting with {rule.match_user} at {domain}"
        )
    return f"{rule.pattern} while it is no mailbox"


def named(rule: Rule) -> str:
    """Name the rule itself, within a sentence."""
    return f"the rule for {matched(rule)}"


def circle(addresses: Sequence[str]) -> str:
    """Draw a circle, leaving out the middle of a long one."""
    most = 2 * MOST_NAMED
    if len(addresses) > most:
        left_out = len(addresses) - most
        addresses = [
            *addresses[: most - 1],
            f"{left_out + 1} more",
            addresses[-1],
        ]
    return " → ".join(addresses)


def listed(names: Iterable[str], *, most: int | None = None) -> str:
    """Join names as one says them: “a, b and c”, or “a, b and 7 more”."""
    shown = list(names)
    if most is not None and len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    *first, last = shown or [""]
    return f"{', '.join(first)} and {last}" if first else last


def mailboxes(number: int) -> str:
    return "1 mailbox" if number == 1 else f"{number} mailboxes"
