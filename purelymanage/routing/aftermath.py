"""Where mail goes once a rule or a mailbox is gone: what bounces, what arrives."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from string import ascii_lowercase, digits

from purelymanage.deletions.impact import Line, count
from purelymanage.routing.model.accounts import Account, Place, domain_of
from purelymanage.routing.model.checks import never_applies, receives
from purelymanage.routing.model.following import follow
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.model.words import MOST_NAMED, listed, matched, named

NOBODY = "It bounces unless a mailbox with this address is created."


def lines(account: Account, rule: Rule) -> list[Line]:
    """Say what the end of a rule means, only by what its own domain knows.

    Where another rule sends the mail on from there may be none of the reader's business.
    """
    after = account.exchanged(rule, None)
    goes_to = listed(rule.targets, most=MOST_NAMED) or "nobody"
    more = f"no longer goes to {goes_to}"
    what = f"Mail to {matched(rule)}"
    if any(it.tone == "broken" for it in never_applies(account, rule)):
        note = "It never did, as this rule never applied."
        return [Line("route", what, more, note)]
    if not rule.prefix:
        line = Line("route", what, more, _fate(account, after, rule))
        return [line, *_sent_on(account, after, rule)]
    return [
        Line("route", what, more, _fate_of_others(after, rule)),
        *_given_back(account, after, rule),
        *_sent_on(account, after, rule),
    ]


def of_mailboxes(account: Account, addresses: Collection[str]) -> dict[str, list[Line]]:
    """Say what the end of each means for its mail, and for rules that name it."""
    aiming: dict[str, list[Rule]] = {address: [] for address in addresses}
    domains = {domain_of(address) for address in addresses}
    for rule in account.rules:
        near = [it for it in rule.targets if domain_of(it) in domains]
        for address in {account.reading(it) for it in near} & aiming.keys():
            aiming[address].append(rule)
    return {it: _of_mailbox(account, it, aiming[it]) for it in addresses}


def _of_mailbox(account: Account, address: str, aiming: list[Rule]) -> list[Line]:
    after = account.without(address)
    found = []
    if account.look_at(address).rule is None:
        taker = after.look_at(address).rule
        more, note = ("bounces afterwards", "")
        if taker is not None:
            more, note = "goes elsewhere afterwards", _taken_over(taker)
        found.append(Line("route", "mail to its address", more, note))
    if aiming:
        lost = [it for it in aiming if not _arrives(after, it)]
        found.append(
            Line(
                "route",
                count(len(aiming), "rule"),
                "points to it" if len(aiming) == 1 else "point to it",
                _fate_of_aiming(len(aiming), len(lost)),
                tuple((it.pattern, it.domain) for it in aiming),
            )
        )
    return found


def _arrives(account: Account, rule: Rule) -> bool:
    walks = [follow(account, it) for it in rule.targets]
    return any(it.mailboxes or it.outside for it in walks)


def _fate_of_aiming(number: int, lost: int) -> str:
    if not lost:
        return f"{'Its' if number == 1 else 'Their'} mail still arrives elsewhere."
    if lost == number:
        return f"{'It then leads' if number == 1 else 'They then lead'} nowhere."
    return f"{count(lost, 'rule')} then {'leads' if lost == 1 else 'lead'} nowhere."


def _fate(account: Account, after: Account, rule: Rule) -> str:
    """Say what becomes of mail to the one address that a rule was about."""
    address = rule.pattern
    sight = after.look_at(address)
    if sight.rule is not None:
        return _taken_over(sight.rule)
    if not sight.is_mailbox:
        return NOBODY
    if receives(account, address):
        return f"It is still delivered to the mailbox {address}."
    return f"It is delivered to the mailbox {address} again."


def _fate_of_others(after: Account, rule: Rule) -> str:
    """Say what becomes of mail to addresses that nobody has for anything else."""
    rest = after.look_at(f"{_unused(after, rule)}@{rule.domain}").rule
    if rest is not None:
        return _taken_over(rest)
    if rule.kind == Kind.PREFIX:
        return "It bounces, unless such an address has a mailbox or a rule of its own."
    return "It bounces, unless an address has a mailbox or a rule of its own."


def _taken_over(rule: Rule) -> str:
    goes_to = listed(rule.targets, most=MOST_NAMED) or "nobody"
    sentence = f"{named(rule)} takes it over, to {goes_to}."
    return sentence[:1].upper() + sentence[1:]


def _given_back(account: Account, after: Account, rule: Rule) -> Iterator[Line]:
    """Name the mailboxes whose mail the rule took."""
    back = [
        it
        for it in account.boxes_of(rule.domain)
        if account.look_at(it).rule == rule
        and not receives(account, it)
        and receives(after, it)
    ]
    if back:
        yield Line(
            "mailbox",
            count(len(back), "mailbox", "mailboxes"),
            "receives its own mail again"
            if len(back) == 1
            else "receive their mail again",
            names=tuple((it, rule.domain) for it in back),
        )


def _sent_on(account: Account, after: Account, rule: Rule) -> Iterator[Line]:
    """Name the rules that send mail on through this one, by what becomes of that."""
    bouncing: list[tuple[str, str]] = []
    elsewhere: list[tuple[str, str]] = []
    at_domain = f"@{rule.domain}"
    for other in account.rules:
        via = [
            it
            for it in other.targets
            if it.endswith(at_domain) and account.look_at(it).rule == rule
        ]
        if other == rule or not via:
            continue
        ends = [after.look_at(it) for it in via]
        bounces = any(
            it.rule is None and not it.is_mailbox and it.place == Place.HERE
            for it in ends
        )
        (bouncing if bounces else elsewhere).append((other.pattern, other.domain))
    for through, more in (
        (bouncing, "whose mail bounces then"),
        (elsewhere, "whose mail arrives elsewhere then"),
    ):
        if through:
            verb = "sends" if len(through) == 1 else "send"
            yield Line(
                "route",
                count(len(through), "other rule"),
                f"{verb} mail on through it, {more}",
                names=tuple(through),
            )


def _unused(account: Account, rule: Rule) -> str:
    """Return a name that begins so and that nothing else on the domain is about."""
    known = {it.match_user for it in account.rules_for(rule.domain)}
    known |= {it.rpartition("@")[0] for it in account.boxes_of(rule.domain)}
    longer = {
        it[len(rule.match_user) :] for it in known if it.startswith(rule.match_user)
    }
    begun = {it[:1] for it in longer}
    free = next((it for it in digits + ascii_lowercase if it not in begun), "")
    if free:
        return f"{rule.match_user}{free}"
    # Whatever begins like another one is longer than any of them.
    return rule.match_user + "0" * (max(map(len, longer), default=0) + 1)
