"""Looking at a rule before it is saved, against all that is there."""

from __future__ import annotations

from collections.abc import Iterator

from purelymanage.routing.model import words
from purelymanage.routing.model.accounts import (
    Account,
    Place,
    domain_of,
    without_tag,
)
from purelymanage.routing.model.findings import Check, Finding
from purelymanage.routing.model.following import follow
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.model.words import MOST_NAMED, listed, matched, named

MOST_TARGETS = 50
ANY_KINDS = {Kind.ANY, Kind.CATCH_ALL}


def check_rule(
    account: Account, rule: Rule, *, replaced: Rule | None = None
) -> list[Finding]:
    """Return what is to be said before `rule` is saved, the worst first.

    `replaced` is the rule that goes in return. Mailboxes that got no mail before are
    not counted as lost.
    """
    others = [it for it in account.rules_for(rule.domain) if it != replaced]
    before = account
    after = account.exchanged(replaced, rule)
    found = list(_refusals(account, rule, others))
    if not any(it.blocks for it in found):
        found += in_a_circle(after, rule)
        found += never_applies(after, rule)
        found += silenced(after, rule, _losers(before, after, rule))
        found += custom(rule)
        found += _order(after, rule)
    found += missing_targets(after, rule)
    found += _away(after, rule)
    return found


def _refusals(account: Account, rule: Rule, others: list[Rule]) -> Iterator[Finding]:
    if rule.domain not in account.domains:
        yield Finding(
            Check.NOT_OUR_DOMAIN,
            "broken",
            f"{rule.domain} is no domain of this account.",
            "Add the domain first.",
            blocks=True,
        )
    if "@" in rule.match_user or any(map(str.isspace, rule.match_user)):
        yield Finding(
            Check.BAD_NAME,
            "broken",
            f"No name is like “{rule.match_user}”.",
            "Write what stands before the @, without spaces.",
            blocks=True,
        )
    yield from no_targets(rule)
    if len(rule.targets) > MOST_TARGETS:
        yield Finding(
            Check.TOO_MANY_TARGETS,
            "broken",
            f"These are {len(rule.targets)} targets, and {MOST_TARGETS} are possible.",
            "Send the mail to an address whose own rule shares it out.",
            blocks=True,
        )
    yield from bad_targets(rule)
    for other in others:
        if other.deed == rule.deed:
            yield Finding(
                Check.DUPLICATE,
                "broken",
                "This rule is there already.",
                "PurelyMail would say yes and create nothing.",
                blocks=True,
                others=(other,),
            )
        elif other.match == rule.match:
            yield _clash(rule, other)


def _clash(rule: Rule, other: Rule) -> Finding:
    goes_to = listed(other.targets, most=MOST_NAMED) or "nobody"
    if {rule.kind, other.kind} == ANY_KINDS:
        return Finding(
            Check.CLASH,
            "broken",
            f"{rule.domain} has a rule for {matched(other).split(' at ')[0]} already.",
            "PurelyMail allows one of the two kinds of “any address” on a domain. The "
            f"other one goes to {goes_to}: change it, or delete it first.",
            blocks=True,
            others=(other,),
        )
    return Finding(
        Check.CLASH,
        "broken",
        f"There is a rule for {matched(other)} already.",
        f"It goes to {goes_to}. Add your targets to that rule instead.",
        blocks=True,
        others=(other,),
    )


# What a list warns of as well


def no_targets(rule: Rule) -> Iterator[Finding]:
    if not rule.targets:
        yield Finding(
            Check.NO_TARGETS,
            "broken",
            "This rule sends mail to nobody.",
            "Name at least one target.",
            blocks=True,
        )


def bad_targets(rule: Rule) -> Iterator[Finding]:
    if wrong := [it for it in rule.targets if not is_address(it)]:
        yield Finding(
            Check.BAD_TARGET,
            "broken",
            f"{listed(wrong, most=MOST_NAMED)} is no e-mail address.",
            "Write targets like name@example.org.",
            blocks=True,
            addresses=tuple(wrong),
        )


def in_a_circle(account: Account, rule: Rule) -> Iterator[Finding]:
    """Say how mail that the rule sends on comes back to it."""
    for target in rule.targets:
        for circle in follow(account, target).circles:
            if any(account.look_at(it).rule == rule for it in circle):
                yield circling(circle)
                return


def circling(circle: tuple[str, ...]) -> Finding:
    return Finding(
        Check.CIRCLE,
        "broken",
        f"Mail goes round in a circle: {words.circle(circle)}.",
        "PurelyMail cuts it off after some redirects, and the mail may be lost. Take "
        "one of the addresses out of the targets.",
        addresses=circle,
    )


def never_applies(account: Account, rule: Rule) -> Iterator[Finding]:
    has_tags = account.has_subaddressing(rule.domain)
    left = without_tag(rule.match_user)
    if has_tags and left != rule.match_user:
        instead = f"read as {left}@{rule.domain}" if left else "left without a name"
        written = matched(rule).partition(" at ")[0]
        yield Finding(
            Check.NEVER_APPLIES,
            "broken",
            f"This rule never applies: {rule.domain} ignores what follows a symbol.",
            f"Mail to {written} is {instead} before PurelyMail looks at the rules. "
            "Leave the symbol out, or switch subaddressing off for the domain.",
        )
    elif not rule.match_user and not rule.prefix and not has_tags:
        yield Finding(
            Check.NEVER_APPLIES,
            "broken",
            "This rule never applies: every address has something before the @.",
            "Choose one of the four kinds that the portal offers.",
        )
    elif rule.catchall and not rule.prefix and rule.pattern in account.mailboxes:
        yield Finding(
            Check.NEVER_APPLIES,
            "attention",
            f"This rule does not apply as long as {rule.pattern} is a mailbox.",
            "Choose the kind “Exact address” to send its mail elsewhere.",
        )


def silenced(account: Account, rule: Rule, losers: list[str]) -> Iterator[Finding]:
    """Say which mailboxes get no mail because of the rule."""
    if not losers:
        return
    names = listed(losers, most=MOST_NAMED)
    one = len(losers) == 1
    if rule.kind == Kind.ANY:
        yield Finding(
            Check.SILENCES_DOMAIN,
            "broken",
            f"{words.mailboxes(len(losers))} of {rule.domain} "
            f"{'gets' if one else 'get'} no mail: {names}.",
            "This rule takes it before mailboxes are asked. “Any address except "
            "mailboxes” leaves theirs alone.",
            addresses=tuple(losers),
            confirm=rule.domain,
        )
    elif not rule.prefix:
        yield Finding(
            Check.TAKES_MAIL,
            "attention",
            f"{names} is a mailbox, but this rule takes all of its mail.",
            f"Add {names} to the targets if its owner should keep a copy.",
            addresses=tuple(losers),
            copies=tuple(losers),
        )
    else:
        yield Finding(
            Check.TAKES_MAIL,
            "attention",
            f"This rule takes all mail from the mailbox{'' if one else 'es'} {names}.",
            f"{'It keeps' if one else 'They keep'} a copy when "
            f"{'it is' if one else 'they are'} among the targets, but then "
            f"{'gets' if one else 'get'} all mail of this rule. A rule for exactly "
            f"{'its' if one else 'each'} address to itself keeps only "
            f"{'its' if one else 'their'} own.",
            addresses=tuple(losers),
            copies=tuple(losers),
        )


def missing_targets(account: Account, rule: Rule) -> Iterator[Finding]:
    for target in rule.targets:
        sight = account.look_at(target)
        if sight.place != Place.HERE or sight.is_mailbox:
            continue
        if sight.rule is None or names(account, sight.rule, sight.read_as):
            as_what = f", read as {sight.read_as}," if sight.is_tagged else ""
            yield Finding(
                Check.MISSING_TARGET,
                "broken",
                f"{target}{as_what} is no mailbox, and no rule sends its mail on.",
                "PurelyMail refuses what is sent there. Create the mailbox, or choose "
                "another target.",
                addresses=(target,),
            )


def custom(rule: Rule) -> Iterator[Finding]:
    if rule.kind == Kind.CUSTOM:
        yield Finding(
            Check.CUSTOM,
            "attention",
            "The portal does not offer this combination.",
            f"It probably matches {matched(rule)}, but nobody has tried it.",
        )


def receives(account: Account, mailbox: str) -> bool:
    """Tell whether a mailbox gets the mail that is sent to its own address."""
    sight = account.look_at(mailbox)
    return sight.rule is None or names(account, sight.rule, mailbox)


def names(account: Account, rule: Rule, address: str) -> bool:
    at_domain = f"@{domain_of(address)}"
    return any(
        account.reading(it) == address for it in rule.targets if it.endswith(at_domain)
    )


def is_address(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    is_plain = "@" not in local and not any(map(str.isspace, text))
    return bool(local and is_plain and domain.strip(".") == domain and "." in domain)


# What only matters before saving


def _losers(before: Account, after: Account, rule: Rule) -> list[str]:
    return [
        it
        for it in after.boxes_of(rule.domain)
        if after.look_at(it).rule == rule
        and not receives(after, it)
        and receives(before, it)
    ]


def _order(account: Account, rule: Rule) -> Iterator[Finding]:
    """Say which rules come before this one, and before which it comes."""
    if any(never_applies(account, rule)):
        return
    near = [it for it in account.rules_for(rule.domain) if it != rule]
    applying = [it for it in near if not any(never_applies(account, it))]
    if rule.prefix:
        inside = [it for it in applying if it.match_user.startswith(rule.match_user)]
        stronger = [it for it in inside if it.strength > rule.strength]
        if stronger:
            yield Finding(
                Check.SHADOWED,
                "waiting",
                f"Stronger rules come before it: {_patterns(stronger)}.",
                "An exact address beats a beginning, and a longer beginning a shorter.",
                others=tuple(stronger),
            )
    weaker = [
        it
        for it in applying
        if it.prefix
        and it.strength < rule.strength
        and rule.match_user.startswith(it.match_user)
    ]
    if weaker:
        yield Finding(
            Check.SHADOWS,
            "waiting",
            f"It comes before {_patterns(weaker)}.",
            f"Mail to {matched(rule)} does not reach "
            f"{'that rule' if len(weaker) == 1 else 'those rules'} any more.",
            others=tuple(weaker),
        )


def _patterns(rules: list[Rule]) -> str:
    strongest = sorted(rules, key=lambda it: it.strength, reverse=True)
    return listed((named(it) for it in strongest), most=3)


def _away(account: Account, rule: Rule) -> Iterator[Finding]:
    places = {it: account.look_at(it).place for it in rule.targets if is_address(it)}
    outside = [it for it, place in places.items() if place == Place.OUTSIDE]
    if outside:
        yield Finding(
            Check.OUTSIDE,
            "waiting",
            f"{listed(outside, most=MOST_NAMED)} "
            f"{'is' if len(outside) == 1 else 'are'} outside this account.",
            "Nobody here can see whether mail arrives there.",
            addresses=tuple(outside),
        )
    veiled = [it for it, place in places.items() if place == Place.VEILED]
    if veiled:
        yield Finding(
            Check.VEILED,
            "waiting",
            f"{listed(veiled, most=MOST_NAMED)} "
            f"{'is' if len(veiled) == 1 else 'are'} at a domain you may not see.",
            "Whether mail arrives there, or comes back, cannot be told here.",
            addresses=tuple(veiled),
        )
