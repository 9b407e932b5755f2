"""One rule over many domains: for each name at each domain the same targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from purelymanage.accounts.models import User
from purelymanage.routing.bulk.judging import Judge, Line
from purelymanage.routing.model.rules import Rule
from purelymanage.routing.models import RuleBulkRow

# What RFC 2142 asks every domain to have, as far as people use it.
ROLES = {
    "postmaster": "problems with mail",
    "abuse": "complaints about mail",
    "hostmaster": "the domain's records",
    "webmaster": "the web site",
    "security": "holes in security",
    "info": "anything else",
}
IS_MAILBOX = "There is a mailbox with this address, which keeps its mail."
IS_TARGET = "Its mail is to go here, so it needs no rule."


@dataclass(frozen=True, slots=True)
class Template:
    names: tuple[str, ...]
    domains: tuple[str, ...]
    targets: tuple[str, ...]
    # What is there already: stays, gets the targets besides its own, or instead.
    where_rule: str = "keep"
    spares_mailboxes: bool = True

    @classmethod
    def read(cls, wishes: dict[str, Any]) -> Self:
        lists = {
            it: tuple(wishes.get(it, ())) for it in ("names", "domains", "targets")
        }
        return cls(
            **lists,
            where_rule=wishes.get("where_rule", "keep"),
            spares_mailboxes=wishes.get("spares_mailboxes", True),
        )


def rows_for(template: Template, user: User) -> list[RuleBulkRow]:
    judge = Judge(user)
    lines: list[Line] = []
    for domain in template.domains:
        for name in template.names:
            lines.append(_line(len(lines) + 1, name, domain, template, judge))
    return judge.rows(lines)


def _line(
    number: int, name: str, domain: str, template: Template, judge: Judge
) -> Line:
    rule = Rule(domain, name, prefix=False, catchall=False, targets=template.targets)
    line = Line(number, rule.pattern, rule)
    known = judge.known.get(rule.match)
    if rule.pattern in template.targets:
        line.left_out = IS_TARGET
    elif known is not None and known.rule.deed != rule.deed:
        if template.where_rule == "keep":
            line.left_out = "There is a rule for it already, which stays as it is."
        elif template.where_rule == "add":
            both = dict.fromkeys([*known.rule.targets, *template.targets])
            line.rule = replace(rule, targets=tuple(both))
    elif (
        known is None
        and template.spares_mailboxes
        and rule.pattern in judge.account.mailboxes
    ):
        line.left_out = IS_MAILBOX
    return line
